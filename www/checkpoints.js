// Files between the page and the computer it is on: checkpoints as downloads and
// from a picker, anything dropped. What is in a checkpoint only the core knows.

/** @typedef {import('./protocol.js').CheckpointFault | 'large' | 'unreadable'} FileFault */

/** A larger file isn't even read. The largest networks that can be set make one of about 660. */
export const MOST_MEGABYTES = 1024;

/** @param {string} preset @param {number} step */
export const checkpointName = (preset, step) => `digit-forge-${preset}-${step}.safetensors`;

export class FileError extends Error {
  /** @param {FileFault} fault @param {string} detail */
  constructor(fault, detail) {
    super(detail);
    this.fault = fault;
  }
}

/**
 * @param {Pick<File, 'size' | 'arrayBuffer'>} file
 * @returns {Promise<Uint8Array>}
 */
export async function readFile(file) {
  if (file.size > MOST_MEGABYTES * 1e6) throw new FileError('large', `${file.size} bytes`);
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch (error) {
    // A folder is dropped as a file, too.
    throw new FileError('unreadable', error instanceof Error ? error.message : String(error));
  }
}

/** @param {string} name @param {Uint8Array<ArrayBuffer>} bytes */
export function download(name, bytes) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([bytes], { type: 'application/octet-stream' }));
  link.download = name;
  link.click();
  // The download has begun by then; revoked at once it would not in every browser.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

const picker = () => /** @type {HTMLInputElement} */ (document.getElementById('file'));

/** Lets a person choose a file. */
export const pickFile = () => picker().click();

/**
 * A saved run that is picked, and whatever files are dropped on the page; what else is dragged is left alone.
 * @param {(file: File) => void} open
 * @param {(files: File[]) => void} take
 */
export function listenToFiles(open, take) {
  const input = picker();
  input.addEventListener('change', () => {
    const [file] = input.files ?? [];
    // So that the same file can be picked again.
    input.value = '';
    if (file) open(file);
  });
  const mark = (/** @type {boolean} */ on) => document.body.classList.toggle('dropping', on);
  const holdsFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes('Files') ?? false;
  addEventListener('dragover', (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    mark(true);
  });
  addEventListener('dragleave', (event) => {
    // Into nothing: off the page.
    if (!event.relatedTarget) mark(false);
  });
  addEventListener('drop', (event) => {
    mark(false);
    if (!holdsFiles(event)) return;
    event.preventDefault();
    take([...(event.dataTransfer?.files ?? [])]);
  });
}
