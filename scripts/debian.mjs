// Debian's packages: installed here where that is possible, otherwise named with the command that brings them.

import { existsSync } from 'node:fs';
import { Explained, environment, heard, shown } from './command.mjs';

export const onDebian = () => existsSync('/etc/debian_version');

/** @param {string[]} packages @returns {string[]} those not installed */
export function notInstalled(packages) {
  return packages.filter((name) => heard('dpkg-query', ['-W', '-f=${db:Status-Status}', name]) !== 'installed');
}

/**
 * @param {string[]} packages
 * @param {string} purpose completes "needed to …"
 * @returns {Promise<string[]>} those that were installed now
 */
export async function installPackages(packages, purpose) {
  const missing = notInstalled(packages);
  if (!missing.length) return [];
  if (process.getuid?.() !== 0) {
    throw new Explained(`Needed to ${purpose}:\n  sudo apt-get install -y --no-install-recommends ${missing.join(' ')}`);
  }
  const env = { ...environment(), DEBIAN_FRONTEND: 'noninteractive' };
  await shown('apt-get', ['update', '-qq'], { env });
  await shown('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], { env });
  return missing;
}
