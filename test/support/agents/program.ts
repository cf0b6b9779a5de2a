import type { ToolCall } from './exchange.ts';

/** Where a conversation takes place. */
export interface Place {
  /** The agent's HOME. */
  readonly home: string;
  /** The folder in which the agent works. */
  readonly folder: string;
  /** The fake model, without a slash at the end. */
  readonly modelUrl: string;
  /** The node_modules folder with the agent. */
  readonly modules: string;
  /** A Node that is new enough for every agent. */
  readonly node: string;
}

/** How a prompt is handed to an agent. */
interface Asked {
  readonly prompt: string;
  /** The last conversation of the folder goes on, instead of a new one. */
  readonly resumes: boolean;
  /** A UUID, for agents that let their caller choose the id of a conversation. */
  readonly conversation: string;
}

/** A real agent: how it is configured, started without a terminal, and what its model calls. */
export interface AgentProgram {
  /** As its makers write it. */
  readonly name: string;
  /** Its key in the list of versions. */
  readonly key: string;
  /** Writes what the agent's user has configured before `outlive setup`. */
  readonly setUp: (place: Place) => void;
  /** What is done in place of `outlive setup`: commands, which are run in their order in the folder of the work. */
  readonly install?: (place: Place) => readonly (readonly string[])[];
  /** The tool without which no scene goes on, where that is not outlive's `run`. */
  readonly needs?: string;
  readonly command: (place: Place, asked: Asked) => readonly string[];
  readonly env: (place: Place) => Readonly<Record<string, string>>;
  /** A call of a tool of outlive's, as this agent's model has to make it. */
  readonly call: (tool: string, input: Readonly<Record<string, unknown>>) => ToolCall;
  /** A call of the agent's own shell. */
  readonly shell: (command: string) => ToolCall;
  /** How the agent is started in a terminal, where tests know that. */
  readonly interactive?: {
    readonly command: (place: Place) => readonly string[];
    /** What its screen shows when it can be typed to. */
    readonly ready: RegExp;
  };
}
