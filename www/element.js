// <digit-forge preset="quick" lang="zh" theme="dark" view="both" autostart="0" engine="cpu"
//              settings="batch=32&seed=7"></digit-forge>
//
// An element that puts the page's grid and controls into any page: one script
// tag, a frame inside. It starts when scrolled into view and rests when not. An
// attribute that changes is told to the open page: another theme is the same run.
// Events: ready · step · playing · paused · alarm · failed · error, each with a detail.
// Methods: play() pause() step() restart() set('preset=quick&batch=32'), set('theme=dark').

const ATTRIBUTES = ['preset', 'lang', 'theme', 'view', 'autostart', 'engine', 'settings'];
const EVENTS = ['ready', 'step', 'playing', 'paused', 'alarm', 'failed', 'error'];

/**
 * @param {(name: string) => string | null} attribute
 * @param {string} script   the page lies beside it
 */
export function frameAddress(attribute, script) {
  const address = new URL('index.html', script);
  address.searchParams.set('embed', '1');
  for (const name of ATTRIBUTES.slice(1, -1)) {
    const value = attribute(name);
    if (value !== null) address.searchParams.set(name, value);
  }
  address.hash = settingsOf(attribute);
  return address.href;
}

/** @param {(name: string) => string | null} attribute */
function settingsOf(attribute) {
  const preset = attribute('preset');
  return [preset && `preset=${encodeURIComponent(preset)}`, attribute('settings')].filter(Boolean).join('&');
}

/** What the page does where nothing is said. Without a language it goes by the browser's. @type {Record<string, string>} */
const USUAL = { theme: 'auto', view: 'averaged', engine: 'auto', autostart: '1' };

/**
 * What to tell the open page of an attribute that has changed; empty: this can't be told.
 * @param {string} name
 * @param {(name: string) => string | null} attribute
 */
export function changeOf(name, attribute) {
  if (name === 'preset' || name === 'settings') return settingsOf(attribute);
  const value = attribute(name) ?? USUAL[name];
  return value === undefined ? '' : `${name}=${encodeURIComponent(value)}`;
}

// So that the module can be read, and tested, where there are no elements.
const Base = globalThis.HTMLElement ?? class {};

export class DigitForgeElement extends Base {
  static observedAttributes = ATTRIBUTES;

  /** @type {HTMLIFrameElement | null} */
  #frame = null;
  /** Whether the page in it hears what it is told. */
  #isOpen = false;

  /** @param {MessageEvent} event */
  #hear = (event) => {
    if (!this.#frame || event.source !== this.#frame.contentWindow || event.data?.type !== 'digit-forge') return;
    const { event: name, detail } = event.data;
    if (name === 'size') this.#frame.style.height = `${Number(detail.height)}px`;
    if (EVENTS.includes(name)) this.dispatchEvent(new CustomEvent(name, { detail }));
  };

  connectedCallback() {
    const frame = document.createElement('iframe');
    frame.loading = 'lazy';
    frame.title = 'Digit Forge';
    frame.allow = 'clipboard-write';
    Object.assign(frame.style, { display: 'block', width: '100%', minWidth: '280px', height: '20rem', border: '0', colorScheme: 'auto' });
    frame.src = this.#address();
    frame.addEventListener('load', () => (this.#isOpen = this.#frame === frame));
    this.#frame = frame;
    if (getComputedStyle(this).display === 'inline') this.style.display = 'block';
    addEventListener('message', this.#hear);
    this.append(frame);
  }

  disconnectedCallback() {
    removeEventListener('message', this.#hear);
    this.#frame?.remove();
    this.#frame = null;
    this.#isOpen = false;
  }

  /** @param {string} name @param {string | null} before @param {string | null} after */
  attributeChangedCallback(name, before, after) {
    if (!this.#frame || before === after) return;
    const change = this.#isOpen && changeOf(name, this.#attribute);
    if (change) return this.set(change);
    // Another frame, since another address of this one would be a step back in the history of the page around it.
    this.disconnectedCallback();
    this.connectedCallback();
  }

  play() { this.#tell({ command: 'play' }); }
  pause() { this.#tell({ command: 'pause' }); }
  step() { this.#tell({ command: 'step' }); }
  restart() { this.#tell({ command: 'restart' }); }

  /** @param {string} settings   like "preset=quick&batch=32", or words of the page like "theme=dark", which leave the run alone */
  set(settings) { this.#tell({ command: 'set', settings }); }

  /** @param {string} name */
  #attribute = (name) => this.getAttribute(name);

  #address() {
    return frameAddress(this.#attribute, import.meta.url);
  }

  /** @param {import('./embed.js').Command} command */
  #tell(command) {
    this.#frame?.contentWindow?.postMessage({ type: 'digit-forge', ...command }, '*');
  }
}

globalThis.customElements?.define('digit-forge', DigitForgeElement);
