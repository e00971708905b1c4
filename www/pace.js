// How many steps to ask for at once, so that a slice lasts about 10 ms and
// never much more than 50: long enough to be efficient, short enough that pause
// answers at once and no driver kills a submit.
//
// On the CPU a slice is timed directly. On the GPU only completions are seen,
// and in some browsers each arrives up to 100 ms late; so the GPU pace trusts
// throughput: while a larger slice takes no longer, the time was latency.

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

/** @returns {Pace} */
export function gpuPace() {
  let least = Infinity;
  let cost = 0;
  let steps = 0;
  let ms = 0;
  let slices = 0;
  return {
    steps: 1,
    latency: 0,
    record(k, took) {
      steps += k;
      ms += took;
      slices += 1;
      // Completions may come in pairs, so only their mean says anything.
      if (slices < 4) return;
      const mean = ms / slices;
      const each = steps / slices;
      least = Math.min(least, mean);
      const isWork = mean > 1.2 * least || mean > CEILING;
      if (isWork || mean < TARGET) cost = mean / each;
      this.latency = cost === 0 ? least : Math.max(0, least - cost);
      const goal = Math.min(CEILING, Math.max(TARGET, least));
      if (isWork) this.steps = bounded(Math.min(goal / cost, each * 1.5));
      else if (mean < TARGET) this.steps = bounded(Math.min(TARGET / cost, each * 2));
      else this.steps = bounded(cost === 0 ? each * 1.5 + 1 : Math.min(CEILING / cost, each * 1.5 + 1));
      steps = ms = slices = 0;
    },
  };
}
