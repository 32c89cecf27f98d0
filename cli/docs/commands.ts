import type { Argument, Command, Option } from 'commander'

/** The reference of commander's definitions, as Markdown: a section a command, its arguments and flags in tables. */
export function commandReference(program: Command): string {
  const commands = program.commands.flatMap(family).filter(isCallable)
  const list = commands.map((command) => {
    const name = nameOf(command)
    return `| [\`${name}\`](#${name.replaceAll(' ', '-')}) | ${cell(command.description())} |`
  })
  return [
    '# Commands',
    [
      '`./muster …` in a clone, or by its path from anywhere else; `npx passmuster …` where the package is installed. An empty environment',
      'variable is as good as none; a flag wins over its variable. [Exit codes](../README.md#exit-codes) are the same for all.',
    ].join('\n'),
    ['| command | what it does |', '| --- | --- |', ...list].join('\n'),
    ...commands.flatMap(section),
  ]
    .join('\n\n')
    .concat('\n')
}

function family(command: Command): Command[] {
  return [command, ...command.commands.flatMap(family)]
}

/** `alerts` and `slo` only hold others. */
function isCallable(command: Command): boolean {
  return command.commands.length === 0 || command.registeredArguments.length > 0
}

/** `muster alerts route` */
function nameOf(command: Command): string {
  const names = [command.name()]
  for (let above = command.parent; above !== null; above = above.parent) names.unshift(above.name())
  return names.join(' ')
}

function section(command: Command): string[] {
  const args = command.registeredArguments
  const options = command.options.filter(({ hidden }) => !hidden)
  const usage = [nameOf(command), ...args.map(argumentText), ...(options.length > 0 ? ['[flags]'] : [])].join(' ')
  const sentence = command.description()
  return [
    `## ${nameOf(command)}`,
    `    ${usage}`,
    `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`,
    ...(args.length === 0
      ? []
      : [
          table(
            ['argument', 'meaning'],
            args.map((one) => [`\`${argumentText(one)}\``, one.description]),
          ),
        ]),
    ...(options.length === 0 ? [] : [table(['flag', 'environment', 'meaning'], options.map(row))]),
  ]
}

function argumentText(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`
  return argument.required ? `<${name}>` : `[${name}]`
}

function row({ flags, envVar, description, mandatory, defaultValue }: Option): string[] {
  const more = [...(mandatory ? ['required'] : []), ...(defaultValue === undefined ? [] : [`default ${defaultValue}`])]
  return [
    `\`${flags}\``,
    envVar === undefined ? '' : `\`${envVar}\``,
    description + (more.length > 0 ? ` (${more.join(', ')})` : ''),
  ]
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`
  return [line(titles), `| ${titles.map(() => '---').join(' | ')} |`, ...rows.map(line)].join('\n')
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
