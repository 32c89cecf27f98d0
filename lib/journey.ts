import type { SpanShape } from './span-shape.ts'

/** How one request of a journey must look, and which services it must touch. */
export interface Step {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** The route template, e.g. `/todos/:id`; path parameters start with a colon. */
  readonly route: string
  /** The status a correct service answers with. */
  readonly status: number
  /** Services that must count, log and trace this request; the first one is called by k6. */
  readonly services: readonly string[]
  /** The spans its trace must have, over all services, and no others; absent: not judged. */
  readonly trace?: SpanShape
}

type ParameterNames<Route extends string> = Route extends `${string}:${infer Rest}`
  ? Rest extends `${infer Name}/${infer Tail}`
    ? Name | ParameterNames<`/${Tail}`>
    : Rest
  : never

type PathParameters<Route extends string> = { readonly [name in ParameterNames<Route>]: string | number }

/** What a step may be sent with, besides its path parameters. */
export interface StepInput {
  /** What follows the question mark; no part of the route. */
  readonly query?: Readonly<Record<string, string | number | boolean>>
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
}

/** The part of a response that journeys read. */
export interface StepResponse {
  readonly status: number
  readonly body: string
  json<T>(): T
}

type TypedStep<Route extends string = string> = Step & { readonly route: Route }
type Send<S, Answer> =
  S extends TypedStep<infer Route>
    ? keyof PathParameters<Route> extends never
      ? (input?: StepInput) => Answer
      : (input: StepInput & PathParameters<Route>) => Answer
    : never

/** Who sends: the k6 virtual user (from 1), its iteration (from 0) and the name to log in with. */
export interface User {
  readonly vu: number
  readonly iteration: number
  /** `user-<journey>-<number>`; the number is the virtual user's, or one of the prepared ones. */
  readonly name: string
}

/** A function per declared step, which sends it. k6 answers at once; Node with a promise. */
export type Hands<Steps extends Readonly<Record<string, Step>>, Answer = StepResponse> = {
  readonly [name in keyof Steps]: Send<Steps[name], Answer>
}

/** One virtual user's hands: a function per declared step, who the user is, and what was prepared for this user. */
export type Visit<Steps extends Readonly<Record<string, Step>>, Data = undefined> = Hands<Steps> & {
  readonly user: User
  readonly data: Data
}

/** What a journey needs to exist beforehand. Made in k6's setup, removed in its teardown, outside the counts. */
export interface TestData<Data = unknown> {
  /** How many users it is made for; virtual users share them. */
  readonly users: number
  readonly steps: Readonly<Record<string, Step>>
  /** Called once a user. What it returns must survive JSON; it is the `visit.data` of that user. */
  readonly prepare: (visit: never) => Data
  readonly cleanup: (visit: never) => void
}

/**
 * Steps are data, which validators read; the script is ordinary code, run by k6, that can only send declared steps.
 * Scripts take `never` here, so that journeys with different steps fit into one list; `journey` checks the real types.
 */
export interface Journey<Steps extends Readonly<Record<string, Step>> = Readonly<Record<string, Step>>> {
  readonly name: string
  readonly steps: Steps
  readonly script: (visit: never) => void
  readonly testData?: TestData
}

const step =
  (method: Step['method']) =>
  <const Route extends string>(
    route: Route,
    status: number,
    services: readonly string[],
    trace?: SpanShape,
  ): TypedStep<Route> => ({ method, route, status, services, ...(trace === undefined ? {} : { trace }) })

export const get = step('GET')
export const post = step('POST')
export const put = step('PUT')
export const patch = step('PATCH')
export const del = step('DELETE')

/** Declares what a journey finds prepared: its own steps, and who makes and removes it. */
export function testData<const Steps extends Readonly<Record<string, Step>>, Data>(
  users: number,
  steps: Steps,
  prepare: (visit: Visit<Steps>) => Data,
  cleanup: (visit: Visit<Steps, Data>) => void,
): TestData<Data> {
  return { users, steps, prepare, cleanup }
}

/**
 * Declares a journey. A step's number in its trace id is its place in `steps`. An iteration that sends each step once and
 * in this order needs no record; any other prints one line.
 */
export function journey<const Steps extends Readonly<Record<string, Step>>, Data = undefined>(
  name: string,
  steps: Steps,
  script: (visit: Visit<Steps, Data>) => void,
  data?: TestData<Data>,
): Journey<Steps> {
  return data === undefined ? { name, steps, script } : { name, steps, script, testData: data }
}
