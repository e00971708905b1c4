// `npm test`: every check, headless. A stage that fails does not stop the next. The last line is the sum,
// "N passed, N failed". `npm test -- --only cargo,unit` runs only these stages; each one's output is kept in
// test-results/logs.

import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Explained, environment } from './command.mjs';
import { verdict } from './counts.mjs';
import { inRoot, root } from './places.mjs';
import { began, bold, broke, ended, seconds } from './report.mjs';
import { stages } from './stages.mjs';
import { durations, perform } from './steps.mjs';

/** @typedef {import('./stages.mjs').Stage} Stage */

const { values } = parseArgs({ options: { only: { type: 'string' } } });
const only = values.only?.split(',');
const unknown = only?.filter((name) => !stages.some((stage) => stage.name === name)) ?? [];
if (unknown.length) {
  console.error(`Unknown: ${unknown.join(', ')}. The stages are ${stages.map((stage) => stage.name).join(', ')}.`);
  process.exit(2);
}

/** What runs now, so that an interruption ends it too. @type {import('node:child_process').ChildProcess | undefined} */
let running;
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  process.on(signal, () => {
    endGroup();
    process.exit(130);
  });
}

/** Ends the stage's program with all that it started: drivers and browsers as well. */
function endGroup() {
  try {
    if (running?.pid) process.kill(-running.pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/**
 * @param {Stage} stage
 * @param {[string, ...string[]]} command
 * @returns {Promise<{ output: string, exitedWell: boolean }>}
 */
function run(stage, [program, ...args]) {
  const log = createWriteStream(inRoot('test-results/logs', `${stage.name}.log`));
  return new Promise((done, fail) => {
    const child = spawn(program, args, {
      env: (stage.env ?? environment)(),
      cwd: stage.cwd ? inRoot(stage.cwd) : root,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    running = child;
    const limit = setTimeout(() => {
      console.error(`${stage.name} was ended after ${stage.minutes} minutes.`);
      endGroup();
    }, stage.minutes * 60_000);
    let output = '';
    for (const [from, to] of /** @type {const} */ ([[child.stdout, process.stdout], [child.stderr, process.stderr]])) {
      from.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
        output += text;
        log.write(text);
        to.write(text);
      });
    }
    child.on('error', (error) => fail(new Explained(`${program} could not start: ${error.message}`)));
    // A browser that outlives its test would hold the pipes open and disturb the next stage.
    child.on('exit', endGroup);
    child.on('close', (code) => {
      clearTimeout(limit);
      log.end();
      done({ output, exitedWell: code === 0 });
    });
  });
}

/** @param {Stage} stage */
async function check(stage) {
  let counts = { passed: 0, failed: 1 };
  let start = performance.now();
  try {
    await perform(...stage.needs);
    start = performance.now();
    began(stage.name);
    const { output, exitedWell } = stage.command ? await run(stage, stage.command()) : { output: '', exitedWell: true };
    counts = verdict(stage.counts(output, exitedWell), exitedWell);
  } catch (error) {
    console.error(error instanceof Explained ? error.message : error);
  }
  const ms = performance.now() - start;
  if (counts.failed) broke(stage.name, ms);
  else ended(stage.name, `${counts.passed} passed`, ms);
  return { name: stage.name, ms, ...counts };
}

mkdirSync(inRoot('test-results/logs'), { recursive: true });
const begin = performance.now();
const results = [];
for (const stage of stages.filter(({ name }) => only?.includes(name) ?? true)) results.push(await check(stage));

console.log(`\n${bold('Set-up'.padEnd(24))}${'time'.padStart(10)}`);
for (const [label, ms] of durations) console.log(`${label.padEnd(24)}${seconds(ms).padStart(10)}`);
console.log(`\n${bold('Stage'.padEnd(24))}${'time'.padStart(10)}${'passed'.padStart(9)}${'failed'.padStart(9)}`);
for (const { name, ms, passed, failed } of results) {
  console.log(`${name.padEnd(24)}${seconds(ms).padStart(10)}${String(passed).padStart(9)}${String(failed).padStart(9)}`);
}
console.log(`${'all'.padEnd(24)}${seconds(performance.now() - begin).padStart(10)}\n`);

const passed = results.reduce((total, result) => total + result.passed, 0);
const failed = results.reduce((total, result) => total + result.failed, 0);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed || !passed ? 1 : 0;
