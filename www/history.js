// What the charts remember of a run: bounded, however long it lasts. When full,
// neighbours are averaged in pairs and each point stands for twice the steps.

/** Columns after the step: D's loss, G's loss, D on real, D on fake. */
export const SERIES = 4;

export class History {
  /** @type {number[]} */
  steps = [];
  /** A value is null where the number wasn't finite. @type {(number|null)[][]} */
  series = Array.from({ length: SERIES }, () => []);
  /** The first step with a number that isn't finite. @type {number | null} */
  brokenAt = null;
  /** The newest row as it came. @type {number[] | null} */
  latest = null;
  #stride = 1;
  /** @type {number[][]} */
  #open = [];

  /** @param {number} most   points kept at most */
  constructor(most = 1024) {
    this.most = most;
  }

  /** @param {Float32Array} rows   of five */
  add(rows) {
    for (let at = 0; at + SERIES < rows.length; at += SERIES + 1) {
      const row = Array.from(rows.subarray(at, at + SERIES + 1));
      this.latest = row;
      if (this.brokenAt === null && !row.every(Number.isFinite)) this.brokenAt = /** @type {number} */ (row[0]);
      this.#open.push(row);
      if (this.#open.length >= this.#stride) this.#close();
    }
  }

  #close() {
    const rows = this.#open.splice(0);
    const column = (/** @type {number} */ k) => rows.map((row) => row[k] ?? NaN);
    this.steps.push(/** @type {number} */ (column(0).at(-1)));
    this.series.forEach((values, k) => values.push(mean(column(k + 1))));
    if (this.steps.length >= this.most) this.#halve();
  }

  #halve() {
    this.steps = this.steps.filter((_, k) => k % 2 === 1);
    this.series = this.series.map((values) =>
      this.steps.map((_, k) => mean([values[2 * k] ?? NaN, values[2 * k + 1] ?? NaN])));
    this.#stride *= 2;
  }

  /** Forgets what came after a step: the run went back to it. @param {number} step */
  rewind(step) {
    const kept = this.steps.filter((s) => s <= step).length;
    for (const values of [this.steps, ...this.series]) values.length = kept;
    this.#open = this.#open.filter(([s = 0]) => s <= step);
    this.brokenAt = null;
    this.latest = null;
  }

  /**
   * A few rows for a table, evenly spread, the newest last.
   * @param {number} count
   * @returns {(number|null)[][]}   step and the series
   */
  sample(count) {
    return evenly(this.steps.length, count).map((at) => [this.steps[at] ?? null, ...this.series.map((values) => values[at] ?? null)]);
  }
}

/** Which of `n` are chosen where at most `count` are wanted, the first and the last among them; of one, the last. @param {number} n @param {number} count */
export function evenly(n, count) {
  const wanted = Math.min(count, n);
  return Array.from({ length: wanted }, (_, k) => (wanted === 1 ? n - 1 : Math.round((k * (n - 1)) / (wanted - 1))));
}

/** @param {number[]} values */
function mean(values) {
  const sum = values.reduce((a, b) => a + b, 0);
  return Number.isFinite(sum) ? sum / values.length : null;
}
