// The few things that must be there already. Each one that is missing is named with the command that brings it.

import { readFileSync } from 'node:fs';
import { Explained, heard } from './command.mjs';
import { onDebian } from './debian.mjs';
import { inRoot } from './places.mjs';

const rustup = "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh";

/** @param {string} version @param {string} least */
export function atLeast(version, least) {
  const [a, b] = [version, least].map((text) => text.split('.').map(Number));
  for (let i = 0; i < b.length; i++) {
    if ((a[i] ?? 0) !== b[i]) return (a[i] ?? 0) > b[i];
  }
  return true;
}

function compilerCommand() {
  if (process.platform === 'darwin') return 'xcode-select --install';
  return onDebian() ? 'sudo apt-get install build-essential' : "your system's package of gcc or clang";
}

/** @returns {string} what is there */
export function checkPrerequisites() {
  /** @type {string[]} */
  const missing = [];
  const node = process.versions.node;
  if (!atLeast(node, '20.19')) {
    missing.push(`Node.js 20.19 or newer (this is ${node}): https://nodejs.org/en/download, or  nvm install 22`);
  }

  const wanted = /rust-version = "([\d.]+)"/.exec(readFileSync(inRoot('Cargo.toml'), 'utf8'))?.[1] ?? '1';
  const rust = heard('rustc', ['--version'])?.split(' ')[1];
  if (!rust || !heard('cargo', ['--version'])) missing.push(`Rust ${wanted} or newer, stable:  ${rustup}`);
  else if (!atLeast(rust, wanted)) missing.push(`Rust ${wanted} or newer (this is ${rust}):  rustup update stable`);

  if (process.platform !== 'win32' && !heard('cc', ['--version'])) {
    missing.push(`A C compiler, whose linker Rust uses:  ${compilerCommand()}`);
  }
  if (missing.length) throw new Explained(`Missing:\n${missing.map((line) => `  • ${line}`).join('\n')}\nThen run the same command again.`);
  return `Node.js ${node}, Rust ${rust}`;
}
