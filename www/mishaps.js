// What goes wrong with a run through no setting of its own, as notices, with what a person can do about it: data that can't be
// fetched, a GPU that fails or isn't there, an engine that ends.

import { t } from './i18n/index.js';

/**
 * @param {object} around
 * @param {import('./state.js').State} around.state
 * @param {import('./player.js').Player} around.player
 * @param {import('./views/notices.js').NoticesView} around.notices
 * @param {() => void} around.revive   another engine in place of one that ended
 * @param {(event: string, detail: unknown) => void} around.tell
 */
export function listenToMishaps({ state, player, notices, revive, tell }) {
  player.addEventListener('dataFailed', (event) => {
    const { file, fault, detail } = /** @type {CustomEvent} */ (event).detail;
    const key = /** @type {import('./i18n/index.js').Key} */ (`notice.data.${fault}`);
    notices.show('data', () => t(key, { file, detail }), { remedies: [{ key: 'notice.retry', act: () => player.retryData() }] });
    tell('error', { key: file, value: fault, message: detail });
  });
  player.addEventListener('engine', () => {
    const { reason, options } = state;
    if (options.engine === 'gpu' && state.engine === 'cpu' && reason && reason !== 'gpu-failed') {
      notices.show('gpu', () => t('notice.noGpu', { reason: t(`reason.${reason}`) }), { calm: true });
    }
  });
  player.addEventListener('gpuFailed', (event) => {
    const message = /** @type {CustomEvent<string>} */ (event).detail;
    // After the restart that follows: a new run clears the notices of the old.
    queueMicrotask(() => notices.show('gpu', () => t('notice.gpuFailed', { message }), { calm: true }));
  });
  player.addEventListener('failed', (event) => {
    const { fault, message } = /** @type {CustomEvent} */ (event).detail;
    const key = fault === 'load' ? 'notice.load' : fault === 'settings' ? 'notice.settingsFailed' : 'notice.crash';
    /** @type {import('./views/notices.js').Remedy[]} */
    const remedies = [{ key: 'notice.restart', act: revive }];
    if (state.engine === 'gpu') remedies.push({ key: 'notice.onCpu', act: () => player.restartOnCpu() });
    notices.show('run failed', () => t(key, { message }), { remedies });
  });
}
