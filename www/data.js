// The data set on its way to the engine: a manifest, then chunks of gzipped IDX
// files, each fetched with its bytes counted, unpacked and checked against what
// the manifest promises. Anything amiss is a DataError that names the file.

/** @typedef {import('./protocol.js').DataFault} DataFault */
/** @typedef {{first: number, count: number, images: string, imagesBytes: number, labels: string, labelsBytes: number}} Chunk */
/** @typedef {{name: string, credit: string, rows: number, columns: number, count: number, chunks: Chunk[], test?: Chunk}} Manifest */
/** @typedef {(bytes: number) => void} Count */
/** @typedef {typeof globalThis.fetch} Fetch */

export class DataError extends Error {
  /**
   * @param {string} file
   * @param {DataFault} fault
   * @param {string} detail
   */
  constructor(file, fault, detail) {
    super(`${file}: ${detail}`);
    this.file = file;
    this.fault = fault;
    this.detail = detail;
  }
}

/**
 * @param {string} base   folder of the manifest, with its slash
 * @param {Fetch} get
 * @returns {Promise<Manifest>}
 */
export async function fetchManifest(base, get = fetch) {
  const file = 'manifest.json';
  const text = new TextDecoder().decode(await fetchBytes(base, file, () => {}, get));
  let manifest;
  try {
    manifest = JSON.parse(text);
  } catch {
    throw new DataError(file, 'manifest', 'not JSON');
  }
  const { rows, columns, chunks } = manifest ?? {};
  if (!(rows > 0 && columns > 0 && Array.isArray(chunks) && chunks.length > 0)) {
    throw new DataError(file, 'manifest', 'lists no chunks');
  }
  return manifest;
}

/**
 * One chunk's images and labels as plain IDX bytes.
 * @param {string} base
 * @param {Manifest} manifest
 * @param {Chunk} chunk
 * @param {Count} count
 * @param {Fetch} get
 */
export async function fetchChunk(base, manifest, chunk, count, get = fetch) {
  const [images, labels] = await Promise.all([
    fetchBytes(base, chunk.images, count, get, chunk.imagesBytes).then((b) => unpack(chunk.images, b)),
    fetchBytes(base, chunk.labels, count, get, chunk.labelsBytes).then((b) => unpack(chunk.labels, b)),
  ]);
  checkIdx(chunk.images, images, [chunk.count, manifest.rows, manifest.columns]);
  checkIdx(chunk.labels, labels, [chunk.count]);
  return { images, labels };
}

/**
 * @param {string} base
 * @param {string} file
 * @param {Count} count   told each piece as it arrives
 * @param {Fetch} get
 * @param {number} [expected]
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
async function fetchBytes(base, file, count, get, expected) {
  /** @type {Uint8Array[]} */
  const pieces = [];
  let size = 0;
  try {
    const response = await get(base + file);
    if (!response.ok) throw new DataError(file, 'missing', `HTTP ${response.status}`);
    if (!response.body) throw new DataError(file, 'truncated', '0 bytes');
    const reader = response.body.getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      pieces.push(part.value);
      size += part.value.length;
      count(part.value.length);
    }
  } catch (error) {
    count(-size);
    if (error instanceof DataError) throw error;
    throw new DataError(file, 'network', String(error instanceof Error ? error.message : error));
  }
  if (expected !== undefined && size < expected) {
    count(-size);
    throw new DataError(file, 'truncated', `${size} of ${expected} bytes`);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/**
 * @param {string} file
 * @param {Uint8Array<ArrayBuffer>} packed
 */
async function unpack(file, packed) {
  try {
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch {
    throw new DataError(file, 'corrupt', 'not a whole gzip file');
  }
}

/**
 * IDX: two zero bytes, 8 for unsigned bytes, the number of dimensions, each
 * dimension as a big-endian u32, the data.
 * @param {string} file
 * @param {Uint8Array} bytes
 * @param {number[]} shape
 */
export function checkIdx(file, bytes, shape) {
  const header = 4 + 4 * shape.length;
  if (bytes.length < header) throw new DataError(file, 'truncated', `${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== 0x0800 + shape.length) throw new DataError(file, 'corrupt', 'not an IDX file');
  const found = shape.map((_, k) => view.getUint32(4 + 4 * k));
  if (found.some((n, k) => n !== shape[k])) {
    throw new DataError(file, 'corrupt', `holds ${found.join(' × ')}, not ${shape.join(' × ')}`);
  }
  const size = header + shape.reduce((a, b) => a * b, 1);
  if (bytes.length !== size) throw new DataError(file, 'truncated', `${bytes.length} of ${size} bytes`);
}

/**
 * Fetches the chunks in order, once for all runs, and hands each to whoever
 * waits for it. A failed chunk is reported and fetched again on retry().
 */
export class Supply {
  /** @type {Promise<{images: Uint8Array, labels: Uint8Array}>[]} */
  #chunks = [];
  /** @type {Promise<Manifest> | null} */
  #manifest = null;
  /** @type {(() => void)[]} */
  #waiting = [];
  #loaded = 0;
  #total = 0;
  #failedOnce = false;
  /** @type {Set<number>} */
  #arrived = new Set();
  /** @type {Promise<{images: Uint8Array, labels: Uint8Array}> | null} */
  #unseen = null;

  /**
   * @param {string} base
   * @param {{progress: (chunk: number, loaded: number, total: number) => void, failed: (error: DataError) => void}} report
   * @param {Fetch} get
   */
  constructor(base, report, get = (...a) => fetch(...a)) {
    this.base = base;
    this.report = report;
    /** @type {Fetch} */
    this.get = (url) => get(url, this.#failedOnce ? { cache: 'reload' } : undefined);
  }

  /** Chunk k; a fault delays it until a retry succeeds. @param {number} k */
  chunk(k) {
    return (this.#chunks[k] ??= this.#persist(() => this.#load(k)));
  }

  /** Whether chunk k is here already. @param {number} k */
  has(k) {
    return this.#arrived.has(k);
  }

  /** How many chunks hold the first `count` images. @param {number} count */
  async chunksFor(count) {
    const { chunks } = await this.manifest();
    return chunks.filter((chunk) => chunk.first < count).length;
  }

  /** @returns {Promise<Manifest>} */
  manifest() {
    return (this.#manifest ??= this.#persist(() => fetchManifest(this.base, this.get)));
  }

  /** Test images, which no run trains on; null where the manifest lists none. A run goes on without them, so nobody is told of a fault but who asks. */
  async unseen() {
    const manifest = await this.manifest();
    if (!manifest.test) return null;
    return (this.#unseen ??= fetchChunk(this.base, manifest, manifest.test, () => {}, this.get).catch((error) => {
      this.#unseen = null;
      throw error;
    }));
  }

  /** Says again how far it is, for one who begins to wait. @param {number} k */
  repeat(k) {
    this.report.progress(k, this.#loaded, this.#total);
  }

  retry() {
    for (const go of this.#waiting.splice(0)) go();
  }

  /** @param {number} k */
  async #load(k) {
    const manifest = await this.manifest();
    const chunk = manifest.chunks[k];
    if (!chunk) throw new DataError('manifest.json', 'manifest', `has no chunk ${k}`);
    const upTo = manifest.chunks.slice(0, k + 1).reduce((sum, c) => sum + c.imagesBytes + c.labelsBytes, 0);
    const bytes = await fetchChunk(this.base, manifest, chunk, (n) => {
      this.#loaded += n;
      this.#total = upTo;
      this.report.progress(k, this.#loaded, upTo);
    }, this.get);
    this.#arrived.add(k);
    return bytes;
  }

  /**
   * @template T
   * @param {() => Promise<T>} load
   * @returns {Promise<T>}
   */
  async #persist(load) {
    for (;;) {
      try {
        return await load();
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
        // Whatever came may lie in the browser's cache: the next attempt passes it by.
        this.#failedOnce = true;
        const again = new Promise((resolve) => this.#waiting.push(() => resolve(undefined)));
        this.report.failed(error);
        await again;
      }
    }
  }
}
