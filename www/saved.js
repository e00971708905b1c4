// A run as a file: saved, and gone on from. A file that is none changes nothing, and is named.

import { checkpointName, download, FileError, MOST_MEGABYTES, readFile } from './checkpoints.js';
import { detailOf, t } from './i18n/index.js';
import { WorkerEnded } from './player.js';

export class SavedRuns {
  /**
   * @param {object} around
   * @param {import('./state.js').State} around.state
   * @param {import('./player.js').Player} around.player
   * @param {import('./views/notices.js').NoticesView} around.notices
   * @param {(resolved: import('./protocol.js').Resolved, checkpoint: Uint8Array) => void} around.begin
   * @param {(event: string, detail: unknown) => void} around.tell
   */
  constructor(around) {
    this.around = around;
  }

  async save() {
    const { state, player, notices } = this.around;
    const { phase, resolved } = state;
    if (!resolved || (phase !== 'playing' && phase !== 'paused')) return;
    try {
      const { step, file } = await player.save();
      download(checkpointName(resolved.preset, step), file);
    } catch (error) {
      const { message } = /** @type {Error} */ (error);
      notices.show('file', () => t('notice.saveFailed', { message }));
    }
  }

  /** @param {File} file */
  async open(file) {
    const { state, player, notices, begin, tell } = this.around;
    notices.dismiss('file');
    try {
      const checkpoint = await readFile(file);
      begin(await player.check(checkpoint), checkpoint);
    } catch (error) {
      // That has been told already, and isn't the file's fault.
      if (error instanceof WorkerEnded) return;
      const fault = error instanceof FileError ? error.fault : 'unreadable';
      const { message } = /** @type {Error} */ (error);
      notices.show('file', () => t(`notice.file.${fault}`, { file: file.name, detail: detailOf(message, state.description), most: MOST_MEGABYTES }));
      tell('error', { key: file.name, value: fault, message });
    }
  }
}
