import { readFile } from 'node:fs/promises'
import { parseAllDocuments } from 'yaml'
import { z } from 'zod'
import { UsageError } from '../../lib/errors.ts'
import { type Document, isOpenSlo, translateOpenSlo } from './openslo.ts'
import { type Slo, slosSchema } from './slo.ts'

const own = z.strictObject({ slos: z.array(z.unknown()).min(1, 'must name at least one SLO') })

/**
 * Reads SLOs from a YAML or JSON file: `slos:` as in muster's config, or documents of OpenSLO v1.
 * @throws UsageError with everything that is not understood
 */
export async function readSlos(file: string): Promise<Slo[]> {
  const documents = parse(await text(file), file)
  if (documents.length === 0)
    throw new UsageError(`${file} holds no SLO: write slos: as in muster's config, or OpenSLO.`)
  const inputs = documents.some(({ content }) => isOpenSlo(content))
    ? translated(documents, file)
    : written(documents, file)
  const parsed = slosSchema.safeParse(inputs.map(({ input }) => input))
  if (parsed.success) {
    if (parsed.data.length > 0) return parsed.data
    throw new UsageError(`${file} holds no document of kind SLO: add one.`)
  }
  throw refused(
    file,
    parsed.error.issues.flatMap((issue) => {
      const [index, ...path] = issue.path
      const where = inputs[Number(index)]?.where ?? '(top)'
      const problem = path.join('.')
      if (issue.code === 'unrecognized_keys')
        return issue.keys.map((key) => `${where}: ${[...path, key].join('.')} is no setting of an SLO`)
      return [`${where}: ${problem === '' ? '' : `${problem}: `}${issue.message}`]
    }),
  )
}

async function text(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function parse(content: string, file: string): Document[] {
  const parsed = parseAllDocuments(content)
  const documents = Array.isArray(parsed) ? parsed : []
  for (const { errors } of documents) {
    const [error] = errors
    if (error) throw new UsageError(`${file} is no YAML: ${error.message.split('\n')[0]?.replace(/:$/, '')}`)
  }
  return documents.flatMap((document, index) => {
    const value: unknown = document.toJS()
    return value === null
      ? []
      : [{ content: value, where: documents.length > 1 ? `document ${index + 1}` : 'document' }]
  })
}

function translated(documents: readonly Document[], file: string) {
  const result = translateOpenSlo(documents)
  if ('problems' in result) throw refused(file, result.problems)
  return result.slos
}

function written(documents: readonly Document[], file: string) {
  return documents.flatMap(({ content, where }) => {
    const parsed = own.safeParse(content)
    if (!parsed.success) {
      const unknown = parsed.error.issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys : []))
      throw refused(file, [
        `${where}: is neither slos: as in muster's config nor OpenSLO${unknown.length > 0 ? ` (${unknown.join(', ')})` : ''}`,
      ])
    }
    return parsed.data.slos.map((input, index) => ({ input, where: `slos.${index}` }))
  })
}

function refused(file: string, problems: readonly string[]): UsageError {
  const [only, ...others] = problems
  if (others.length === 0) return new UsageError(`${file}: ${only}.`)
  return new UsageError(`${file} has ${problems.length} problems:\n${problems.map((one) => `  ${one}`).join('\n')}`)
}
