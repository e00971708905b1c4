// Runs other programs. `shown` ones share this terminal, `heard` ones are silent and give back what they said.
// Both find the project's tools and, where the WebAssembly target came from Debian, Debian's compiler.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { inRoot, root, toolsBin } from './places.mjs';

/** A failure that its message explains fully: no stack is printed. */
export class Explained extends Error {}

/** Written by the Debian way of getting the WebAssembly target. */
export const debianCompilerMark = inRoot('.tools', 'debian-compiler');

/** The environment for the programs run here. @returns {NodeJS.ProcessEnv} */
export function environment() {
  const path = [toolsBin, process.env.PATH ?? '', join(homedir(), '.cargo', 'bin')];
  return { ...process.env, PATH: path.join(delimiter) };
}

/** As `environment`, for compiling to WebAssembly. @returns {NodeJS.ProcessEnv} */
export function wasmEnvironment() {
  const env = environment();
  if (existsSync(debianCompilerMark)) env.PATH = `/usr/bin${delimiter}${env.PATH}`;
  return env;
}

/**
 * @param {string} program
 * @param {string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string }} [options]
 * @returns {Promise<void>} rejects unless it exits with 0
 */
export function shown(program, args, { env = environment(), cwd = root } = {}) {
  return new Promise((done, fail) => {
    const child = spawn(program, args, { env, cwd, stdio: 'inherit' });
    child.on('error', (error) => fail(new Explained(`${program} could not start: ${error.message}`)));
    child.on('close', (code, signal) => {
      if (code === 0) done();
      else fail(new Explained(`${[program, ...args].join(' ')}\nended with ${signal ?? `exit code ${code}`}`));
    });
  });
}

/**
 * @param {string} program
 * @param {string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string }} [options]
 * @returns {string | undefined} what it printed, or undefined where it is missing or fails
 */
export function heard(program, args, { env = environment(), cwd = root } = {}) {
  const result = spawnSync(program, args, { env, cwd, encoding: 'utf8', maxBuffer: 1 << 28 });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

/**
 * npm, as the one that runs this script where it does.
 * @param {string[]} args
 */
export function npm(args) {
  const script = process.env.npm_execpath;
  return script?.endsWith('npm-cli.js') ? shown(process.execPath, [script, ...args]) : shown('npm', args);
}
