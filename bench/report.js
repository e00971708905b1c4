// What a person sees of the results, and the machine that they were measured on.

import { cpus, loadavg, totalmem } from 'node:os';

/** @typedef {import('./measure.js').Comparison} Comparison */
/** @typedef {import('./counts.js').Counts} Counts */
/** @typedef {{ at: number, least: boolean } | null} Goal   a ratio to reach, or (least: false) not to exceed */
/** @typedef {Comparison & { goal: Goal }} Result */

/** The processor, as the system names it. */
export const machine = () => ({ cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, memoryGiB: Math.round(totalmem() / 2 ** 30) });

/** Of the last minute. */
export const load = () => Number(loadavg()[0].toFixed(2));

/** Three digits that matter. @param {number} value */
export const short = (value) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));

/** @param {Result} result */
export function goalOf({ ratio, goal }) {
  if (!goal) return '';
  const met = goal.least ? ratio >= goal.at : ratio <= goal.at;
  return `${goal.least ? '≥' : '≤'} ${goal.at}: ${met ? 'yes' : 'no'}`;
}

/** An interval without a confidence stands in braces. @param {Comparison} one */
const intervalOf = ({ low, high, confidence }) =>
  confidence ? `[${short(low)}, ${short(high)}]` : `{${short(low)}, ${short(high)}}`;

/** @param {Result} result */
const row = (result) => [
  result.task, result.a, result.b, short(result.aMs), short(result.bMs), short(result.ratio), intervalOf(result),
  String(result.rounds), goalOf(result),
];

/** @param {Counts} counts */
const countsRow = ({ engine, task, steps, perStep }) => [
  task, engine, ...Object.values(perStep).map((value) => String(Number(value.toFixed(3)))), String(steps),
];

/** Columns as wide as their widest entry; all but the first texts to the right. @param {string[][]} rows @param {number} texts */
function columns(rows, texts) {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  const cell = (/** @type {string} */ text, /** @type {number} */ i) => (i < texts ? text.padEnd(widths[i]) : text.padStart(widths[i]));
  return rows.map((row) => row.map(cell).join('  ').trimEnd()).join('\n');
}

/** @param {readonly Result[]} results */
export const table = (results) =>
  columns([['task', 'a', 'b', 'a ms', 'b ms', 'a/b', '95 %', 'rounds', 'goal'], ...results.map(row)], 3);

/** @param {readonly Counts[]} counts none give an empty text */
export function countsTable(counts) {
  if (!counts.length) return '';
  return columns([['per step', 'engine', ...Object.keys(counts[0].perStep), 'steps counted'], ...counts.map(countsRow)], 2);
}

/** One result as a line, while others are still measured. @param {Result} result */
export const line = (result) =>
  `${result.task}: ${result.a} ${short(result.aMs)} ms, ${result.b} ${short(result.bMs)} ms, ` +
  `${short(result.ratio)} ${intervalOf(result)} ${goalOf(result)}`.trimEnd();
