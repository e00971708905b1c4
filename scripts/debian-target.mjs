// The WebAssembly target without rustup's server. Debian's rustc-web has the compiler and the linker for it but no
// standard library, so that is built from Debian's own sources of the same version (about two minutes, once).

import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { Explained, debianCompilerMark, environment, heard, shown } from './command.mjs';
import { installPackages } from './debian.mjs';
import { say } from './report.mjs';

const packages = ['rustc-web', 'cargo-web', 'rust-web-src', 'rust-web-llvm', 'rust-web-clippy'];

/** @param {string} target */
export async function targetFromDebian(target) {
  say(`Taking Debian's Rust for WebAssembly instead (${packages.join(', ')}).`);
  const purpose = `compile for ${target} without rustup's server`;
  await installPackages(packages, purpose);
  // rust-web-llvm has the linker only as a link to lld-22 or so, and does not ask for the package of that name.
  await installPackages([basename(readlinkSync('/usr/bin/rust-lld'))], purpose);

  const env = { ...environment(), PATH: `/usr/bin:${process.env.PATH}` };
  const sysroot = heard('/usr/bin/rustc', ['--print', 'sysroot'], { env });
  if (!sysroot) throw new Explained("Debian's /usr/bin/rustc does not run.");
  const libraries = join(sysroot, 'lib/rustlib', target, 'lib');
  if (!existsSync(libraries)) await buildLibraries(target, sysroot, libraries, env);

  mkdirSync(dirname(debianCompilerMark), { recursive: true });
  writeFileSync(debianCompilerMark, '');
}

/**
 * @param {string} target
 * @param {string} sysroot of Debian's compiler
 * @param {string} libraries the folder they go to
 * @param {NodeJS.ProcessEnv} env
 */
async function buildLibraries(target, sysroot, libraries, env) {
  const work = mkdtempSync(join(tmpdir(), 'wasm-libraries-'));
  try {
    const source = join(work, 'library');
    // Links into Debian's other folders would break once copied.
    cpSync(join(sysroot, 'lib/rustlib/src/rust/library'), source, { recursive: true, dereference: true });
    say('Building the standard library for WebAssembly.');
    await shown(
      '/usr/bin/cargo',
      ['build', '--release', '-p', 'sysroot', '--target', target, '--features', 'panic-unwind,backtrace'],
      {
        cwd: source,
        env: {
          ...env,
          CARGO_TARGET_DIR: join(work, 'target'),
          RUSTC_BOOTSTRAP: '1',
          RUSTFLAGS: '-Zforce-unstable-if-unmarked -Cembed-bitcode=yes',
        },
      },
    );
    const built = join(work, 'target', target, 'release/deps');
    const staged = `${libraries}.partial`;
    mkdirSync(staged, { recursive: true });
    for (const file of readdirSync(built).filter((name) => name.endsWith('.rlib'))) {
      cpSync(join(built, file), join(staged, file));
    }
    cpSync(staged, libraries, { recursive: true });
    rmSync(staged, { recursive: true });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
