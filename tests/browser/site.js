// The built site as any plain static host serves it: from a sub-path, with no special headers. A test may put something
// else in a file's place.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, resolve, sep } from 'node:path';
import { after } from 'node:test';

const root = resolve(import.meta.dirname, '../../dist');
const at = '/some/where/';

/** @type {Record<string, string>} */
const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

/**
 * What to answer instead of a file's bytes, a number being an HTTP status; undefined leaves them as they are.
 * @callback Instead
 * @param {string} path   below the site's folder, like data/mnist/labels-0.bin
 * @param {Buffer} bytes
 * @returns {Buffer | number | undefined | Promise<Buffer | number | undefined>}
 */

/**
 * @typedef {object} Site
 * @property {string} address   with its slash
 * @property {string[]} asked   the paths asked for so far
 * @property {(instead: Instead | null) => void} replace
 * @property {() => Promise<void>} close
 */

/** Runs a script in the worker before its own. @param {string} script @returns {Instead} */
export const beforeWorker = (script) => (path, bytes) =>
  /^assets\/worker-[^/]*\.js$/.test(path) ? Buffer.concat([Buffer.from(`${script};\n`), bytes]) : undefined;

/** @returns {Promise<Site>} */
export async function serveSite() {
  /** @type {Instead | null} */
  let instead = null;
  /** @type {string[]} */
  const asked = [];
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const path = decodeURIComponent(pathname).slice(at.length) || 'index.html';
    const file = resolve(root, path);
    const bytes = pathname.startsWith(at) && file.startsWith(root + sep) ? await readFile(file).catch(() => null) : null;
    asked.push(path);
    const answer = bytes && ((await instead?.(path, bytes)) ?? bytes);
    if (typeof answer === 'number' || !answer) {
      response.writeHead(answer ?? 404, { 'Content-Type': 'text/plain' }).end('not here');
      return;
    }
    response.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'application/octet-stream', 'Content-Length': answer.length });
    response.end(answer);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', () => done(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    address: `http://127.0.0.1:${port}${at}`,
    asked,
    replace: (to) => void (instead = to),
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

/**
 * The site, and a browser to open it in, for the tests of a file: both are closed after the last.
 * @template {{ close(): Promise<unknown> }} Browser
 * @param {() => Promise<Browser>} launch
 */
export async function siteIn(launch) {
  const browser = await launch();
  after(() => browser.close());
  const site = await serveSite();
  after(() => site.close());
  return { site, browser };
}
