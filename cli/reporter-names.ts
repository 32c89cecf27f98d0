/** Reporters that come with muster; what else is named is the path of a module. */
export const reporterNames = ['terminal', 'junit', 'ndjson', 'github', 'gitlab'] as const
export type ReporterName = (typeof reporterNames)[number]
