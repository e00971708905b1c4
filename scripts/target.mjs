// Rust's WebAssembly target: from rustup, or where its server can't be reached, from Debian (debian-target.mjs).

import { existsSync } from 'node:fs';
import { Explained, debianCompilerMark, environment, heard, shown, wasmEnvironment } from './command.mjs';
import { onDebian } from './debian.mjs';
import { targetFromDebian } from './debian-target.mjs';
import { say } from './report.mjs';

export const target = 'wasm32-unknown-unknown';

/** Whether the compiler that will be used has the target's standard library. */
function isPresent() {
  const folder = heard('rustc', ['--print', 'target-libdir', '--target', target], { env: wasmEnvironment() });
  return folder !== undefined && existsSync(folder);
}

/** @returns {Promise<string>} where it came from */
export async function ensureTarget() {
  if (isPresent()) return existsSync(debianCompilerMark) ? "present, Debian's" : 'present';
  if (heard('rustup', ['--version'])) {
    try {
      await shown('rustup', ['target', 'add', target], { env: environment() });
      if (isPresent()) return 'added by rustup';
    } catch {
      say('Its server may be out of reach.');
    }
    say(`rustup could not add ${target}.`);
  }
  if (!onDebian()) {
    throw new Explained(
      `Rust's target ${target} is missing, and rustup could not bring it. On a machine that reaches\n` +
        `static.rust-lang.org:  rustup target add ${target}\n` +
        "Rust from a distribution has it as a package of its own (Fedora: rust-std-static-wasm32-unknown-unknown).",
    );
  }
  await targetFromDebian(target);
  if (!isPresent()) throw new Explained(`Debian's compiler still has no ${target}.`);
  return "built from Debian's sources";
}
