import type { Outcome } from './delivery/receipts.ts';

/** A text for a model, and the ends that it tells. They stay pending until one of its methods is called. */
export interface Told {
  /** For the model: the answer of a tool, and other news for the conversation. */
  readonly text: string;
  /** Outlive itself has refused or failed. How a command ended is a result, with any exit code. */
  readonly isError: boolean;
  /** The ids of the tasks whose ends the text tells. */
  readonly ends: readonly string[];
  /** Whether nothing is pending: it tells no end, or was acknowledged or given back. */
  readonly isOver: boolean;
  /** The model has read the text: it has answered messages with it. Acknowledges what the text tells. */
  ack(): Promise<void>;
  /** The model will not read it. What the text tells is told again, with a note that says so. */
  giveBack(): void;
}

/**
 * Makes a text for a model. Its methods call the outcomes of what it tells.
 * @param givenBack called when it was given back.
 */
export function toldOf(
  { text, ends, isError = false }: Pick<Told, 'text' | 'ends'> & Partial<Pick<Told, 'isError'>>,
  outcomes: readonly Outcome[],
  givenBack: () => void,
): Told {
  let isOver = outcomes.length === 0;
  return {
    ...{ text, ends, isError },
    get isOver() {
      return isOver;
    },
    ack: async () => {
      if (isOver) return;
      isOver = true;
      await Promise.all(outcomes.map((outcome) => outcome.followed(true)));
    },
    giveBack: () => {
      if (isOver) return;
      isOver = true;
      for (const outcome of outcomes) outcome.lost();
      givenBack();
    },
  };
}
