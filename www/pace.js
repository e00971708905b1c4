// How many steps to ask for at once, so that a slice lasts about 10 ms and
// never much more than 50: long enough to be efficient, short enough that pause
// answers at once and no driver kills a submit.
//
// On the CPU a slice is timed directly. On the GPU only completions are seen, and
// each may arrive late: a page that composites adds a frame, Firefox up to 100 ms.
// So slices of two sizes take turns: what the larger takes more is work, and what
// both take is latency.

const TARGET = 10;
const CEILING = 50;
const MOST = 4096;

/**
 * @typedef {object} Pace
 * @property {number} steps      to ask for next
 * @property {number} latency    the part of a completion's delay that isn't work, ms
 * @property {(steps: number, ms: number) => void} record   a slice and the time it took
 */

/** @param {number} steps */
const bounded = (steps) => Math.max(1, Math.min(MOST, Math.floor(steps)));

/** @returns {Pace} */
export function cpuPace() {
  let cost = 0;
  return {
    steps: 1,
    latency: 0,
    record(steps, ms) {
      const now = Math.max(ms, 0.05) / steps;
      // A slower machine is believed at once, a faster one by and by.
      cost = cost === 0 || now > cost ? now : 0.7 * cost + 0.3 * now;
      this.steps = bounded(Math.min(TARGET / cost, this.steps * 2));
    },
  };
}

/** Completions may come in pairs, so only the mean of a few says anything. */
const WINDOW = 4;
/** No browser's latency is as long as this, so it is work, and far too much of it; ms. */
const FAR_TOO_LONG = 250;

/** @returns {Pace} */
export function gpuPace() {
  let sum = { steps: 0, ms: 0, slices: 0 };
  /** The mean of the newest window of smaller slices. @type {{steps: number, ms: number} | null} */
  let smaller = null;
  let larger = 2;
  let cost = 0;
  // An adapter that takes one step at a time is asked for two ever more seldom.
  let rest = 0;
  let patience = 1;
  return {
    steps: 1,
    latency: 0,
    record(steps, ms) {
      if (steps > 1 && ms > FAR_TOO_LONG) {
        cost = ms / steps;
        smaller = null;
        sum = { steps: 0, ms: 0, slices: 0 };
        this.steps = bounded(CEILING / cost);
        larger = Math.max(2, this.steps);
        return;
      }
      sum = { steps: sum.steps + steps, ms: sum.ms + ms, slices: sum.slices + 1 };
      if (sum.slices < WINDOW) return;
      const seen = { steps: sum.steps / WINDOW, ms: sum.ms / WINDOW };
      sum = { steps: 0, ms: 0, slices: 0 };
      if (rest > 0) {
        rest = seen.ms < TARGET ? 0 : rest - 1;
        return;
      }
      if (!smaller) {
        smaller = seen;
        this.steps = larger;
        return;
      }
      const more = seen.steps - smaller.steps;
      if (more > 0.5) {
        const slope = Math.max(0, (seen.ms - smaller.ms) / more);
        cost = Math.min(seen.ms / seen.steps, cost === 0 ? slope : 0.6 * cost + 0.4 * slope);
      }
      smaller = null;
      this.latency = Math.max(0, seen.ms - cost * seen.steps);
      // Work as long as the latency keeps two submits in flight busy.
      const goal = Math.min(CEILING, Math.max(TARGET, this.latency));
      const most = seen.ms > 2 * CEILING ? seen.steps / 2 : seen.steps * 2;
      const wanted = bounded(Math.min(goal / Math.max(cost, 1e-3), most));
      larger = Math.max(2, wanted);
      if (wanted === 1) {
        rest = patience;
        patience = Math.min(64, 2 * patience);
        this.steps = 1;
      } else {
        patience = 1;
        this.steps = Math.max(1, wanted >> 1);
      }
    },
  };
}
