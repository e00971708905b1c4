// The page inside another page: messages from the parent, events to it, and
// whether anybody can see it.
//
//   parent → page   { type: 'digit-forge', command: 'play' | 'pause' | 'step' | 'restart' }
//                   { type: 'digit-forge', command: 'set', settings: 'preset=quick&batch=32' }, or 'theme=dark&view=both':
//                   what the page's address may say; without settings in it the run goes on
//   page → parent   { type: 'digit-forge', event, detail }, events as of window.digitForge.events:
//                   ready · step · playing · paused · alarm · failed · error · size

/**
 * @typedef {{command: 'play'|'pause'|'step'|'restart'} | {command: 'set', settings: string}} Command
 */

/** Which part of a message is wrong, and what it was. @typedef {{part: 'command'|'settings', command: string, commands: string}} Refusal */

const COMMANDS = ['play', 'pause', 'step', 'restart', 'set'];

/**
 * @param {unknown} data
 * @returns {{command?: Command, refusal?: Refusal} | null}   null: not meant for us
 */
export function readMessage(data) {
  if (typeof data !== 'object' || data === null || !('type' in data) || data.type !== 'digit-forge') return null;
  const command = 'command' in data ? data.command : undefined;
  if (typeof command !== 'string' || !COMMANDS.includes(command)) {
    return { refusal: { part: 'command', command: JSON.stringify(command) ?? 'undefined', commands: COMMANDS.join(', ') } };
  }
  if (command !== 'set') return { command: /** @type {Command} */ ({ command }) };
  const settings = 'settings' in data ? data.settings : undefined;
  if (typeof settings !== 'string' || !settings.includes('=')) return { refusal: { part: 'settings', command, commands: COMMANDS.join(', ') } };
  return { command: { command, settings } };
}

/** Whether another page holds this one. */
export const isEmbedded = () => parent !== window;

/**
 * @param {(command: Command) => void} obey
 * @param {(refusal: Refusal) => void} refuse
 */
export function listenToParent(obey, refuse) {
  addEventListener('message', (event) => {
    if (!isEmbedded() || event.source !== parent) return;
    const message = readMessage(event.data);
    if (message?.command) obey(message.command);
    else if (message?.refusal) refuse(message.refusal);
  });
}

/** @param {string} event @param {unknown} detail */
export function tellParent(event, detail) {
  if (isEmbedded()) parent.postMessage({ type: 'digit-forge', event, detail }, '*');
}

/**
 * Out of sight: the tab hidden, or the frame scrolled off its page.
 * @param {(hidden: boolean, offScreen: boolean) => void} changed
 */
export function watchSight(changed) {
  // A frame is off its page until seen on it: nothing is fetched for one that never is.
  let offScreen = isEmbedded();
  const tell = () => changed(document.hidden, offScreen);
  document.addEventListener('visibilitychange', tell);
  if (isEmbedded()) {
    new IntersectionObserver((entries) => {
      offScreen = !entries.at(-1)?.isIntersecting;
      tell();
    }).observe(/** @type {HTMLElement} */ (document.getElementById('plate')));
  }
  tell();
}
