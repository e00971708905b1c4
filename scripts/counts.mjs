// How many tests passed and failed, read from what each runner prints.

/** @typedef {{ passed: number, failed: number }} Counts */

/** @param {string} text @param {RegExp} pattern @returns {number} the sum of the pattern's first group */
function sum(text, pattern) {
  return [...text.matchAll(pattern)].reduce((total, match) => total + Number(match[1]), 0);
}

/** Colours would stand between the words. @param {string} text */
const plain = (text) => text.replace(/\x1b\[[0-9;]*m/g, '');

/** `cargo test` and `wasm-pack test`: one result line for each test program. @param {string} output @returns {Counts} */
export function cargoCounts(output) {
  const text = plain(output);
  return {
    passed: sum(text, /^test result: .*?(\d+) passed;/gm),
    failed: sum(text, /^test result: .*? (\d+) failed;/gm),
  };
}

/** `node --test` with its spec or tap reporter. @param {string} output @returns {Counts} */
export function nodeCounts(output) {
  const text = plain(output);
  return {
    passed: sum(text, /^[ℹ#] pass (\d+)$/gm),
    failed: sum(text, /^[ℹ#] fail (\d+)$/gm) + sum(text, /^[ℹ#] cancelled (\d+)$/gm),
  };
}

/** A stage without tests of its own is one check. @param {string} _output @param {boolean} exitedWell @returns {Counts} */
export const oneCheck = (_output, exitedWell) => (exitedWell ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 });

/**
 * The counts of a finished stage. A crash is a failure, and so is a runner that found nothing to run.
 * @param {Counts} counts
 * @param {boolean} exitedWell
 * @returns {Counts}
 */
export function verdict({ passed, failed }, exitedWell) {
  const well = exitedWell && passed > 0;
  return { passed, failed: well ? failed : Math.max(failed, 1) };
}
