// The end of a command that could not do its work.

import { Explained } from './command.mjs';

/**
 * @param {unknown} error
 * @returns {never}
 */
export function explain(error) {
  console.error(error instanceof Explained ? `\n${error.message}` : error);
  process.exit(1);
}
