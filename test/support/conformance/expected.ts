/** The revisions of the protocol that both outlive and the suite know. */
export const revisions = ['2025-11-25', '2026-07-28'] as const;

export type Revision = (typeof revisions)[number];

/** A thing that the suite asks for and outlive does not do, and why. */
export interface Explained {
  readonly asks: string;
  readonly why: string;
  /** The checks that fail for it in each revision, as SCENARIO:CHECK. */
  readonly checks: Readonly<Partial<Record<Revision, readonly string[]>>>;
}

/** The checks of scenarios that have one check of the same name. */
function whole(...scenarios: readonly string[]): string[] {
  return scenarios.map((name) => `${name}:${name}`);
}

function inBoth(...checks: readonly string[]): Record<Revision, readonly string[]> {
  return { '2025-11-25': checks, '2026-07-28': checks };
}

const prompts = whole(
  'prompts-list',
  'prompts-get-simple',
  'prompts-get-with-args',
  'prompts-get-embedded-resource',
  'prompts-get-with-image',
);

/** Every check that fails, once. The run fails if another check fails, or if one of these passes. */
export const explained: readonly Explained[] = [
  {
    asks: 'prompts',
    why: 'Outlive has none, and says so in its capabilities.',
    checks: {
      '2025-11-25': prompts,
      '2026-07-28': [...prompts, 'caching:sep-2549-prompts-list-caching-hints'],
    },
  },
  {
    asks: 'completion of arguments',
    why: 'There are no prompts, and a client must know the id in the URI of a resource. Outlive does not declare completion.',
    checks: inBoth(...whole('completion-complete')),
  },
  {
    asks: 'images, audio, embedded resources',
    why: 'Answers are text. Outlive never treats the output of a command as a picture.',
    checks: inBoth(
      ...whole(
        'tools-call-image',
        'tools-call-audio',
        'tools-call-embedded-resource',
        'tools-call-mixed-content',
        'resources-read-binary',
      ),
    ),
  },
  {
    asks: 'log messages and resource subscriptions without a lasting connection',
    why: 'Over HTTP each request is independent. Outlive serves both on stdio, and declares them only there.',
    checks: {
      '2025-11-25': whole(
        'logging-set-level',
        'tools-call-with-logging',
        'resources-subscribe',
        'resources-unsubscribe',
      ),
    },
  },
  {
    asks: 'tools that ask the client: sampling, elicitation, roots',
    why: 'No tool asks the client for anything. So none needs a client capability, and no task is ever `input_required`.',
    checks: {
      '2025-11-25': [
        ...whole('tools-call-sampling', 'tools-call-elicitation'),
        'elicitation-sep1034-defaults:elicitation-sep1034-general',
        'elicitation-sep1330-enums:elicitation-sep1330-general',
      ],
      '2026-07-28': [
        'server-stateless:sep-2575-server-rejects-undeclared-capability',
        'server-stateless:sep-2575-missing-capability-http-400',
        'server-stateless:sep-2575-http-server-no-independent-requests-on-stream',
        'input-required-result-basic-elicitation:sep-2322-elicitation-incomplete',
        'input-required-result-basic-sampling:sep-2322-sampling-incomplete',
        'input-required-result-basic-list-roots:sep-2322-list-roots-incomplete',
        'input-required-result-request-state:sep-2322-request-state-incomplete',
        'input-required-result-multiple-input-requests:sep-2322-multiple-inputs-incomplete',
        'input-required-result-multi-round:sep-2322-multi-round-r1',
        'input-required-result-non-tool-request:sep-2322-non-tool-incomplete',
        'input-required-result-result-type:sep-2322-result-type-included',
        'input-required-result-tampered-state:sep-2322-reject-tampered-state',
        'input-required-result-capability-check:sep-2322-respect-client-capabilities',
        'tasks-mrtr-input:sep-2663-tasks-get-status-input-required',
        'tasks-mrtr-input:tasks-mrtr-tasks-update-resumes',
        'tasks-mrtr-input:tasks-mrtr-partial-fulfillment',
        'tasks-mrtr-composition:sep-2663-mrtr-synchronous-before-task-creation',
      ],
    },
  },
  {
    asks: 'three messages of progress',
    why: 'Outlive sends one every 10 s, and the suite gives up after 30 s. The one that comes is validated against its schema.',
    checks: inBoth(...whole('tools-call-with-progress')),
  },
  {
    asks: 'a tool with a certain schema: `$defs`, or `x-mcp-header`',
    why: 'The schemas of the tools have neither.',
    checks: {
      '2025-11-25': ['json-schema-2020-12:json-schema-2020-12-tool-found'],
      '2026-07-28': [
        'json-schema-2020-12:json-schema-2020-12-tool-found',
        'http-custom-header-server-validation:sep-2243-server-no-xmcp-tool',
        'http-custom-header-server-validation:sep-2243-server-decode-base64',
        'http-custom-header-server-validation:sep-2243-server-validate-param-match',
        'http-custom-header-server-validation:sep-2243-server-reject-invalid-param-chars',
        'http-custom-header-server-validation:sep-2243-server-reject-param-mismatch',
      ],
    },
  },
  {
    asks: 'a certain tool that writes log messages',
    why: 'There is no such tool, and the suite waits only half a second for its answer.',
    checks: { '2026-07-28': ['server-stateless:sep-2575-server-no-log-without-loglevel'] },
  },
  {
    asks: 'a task that fails with `isError`, or with a protocol error',
    why: 'The end of a command is a result, whatever its exit code. `isError` is for failures of outlive.',
    checks: {
      '2026-07-28': [
        'tasks-lifecycle:sep-2663-tool-error-uses-completed-status',
        'tasks-lifecycle:sep-2663-tasks-get-status-failed',
      ],
    },
  },
  {
    asks: 'a tool that is only for clients with tasks',
    why: '`run` serves the others too: it waits, and the command then goes on in the background.',
    checks: {
      '2026-07-28': ['tasks-required-task-error:sep-2663-server-returns-missing-capability-when-required'],
    },
  },
  {
    asks: 'an answer that is exactly what the tool printed',
    why: 'The answer of `run` begins with the status of the command.',
    checks: { '2026-07-28': ['tasks-request-headers:tasks-headers-tolerate-mcp-method-on-tools-call'] },
  },
];

/** The checks that are expected to fail in a revision. */
export function failingIn(revision: Revision): readonly string[] {
  return explained.flatMap(({ checks }) => checks[revision] ?? []);
}
