// uPlot gives Intl the browser's language as it stands. Where that is no language tag, as `en-US@posix` of a headless Chromium
// without a locale, Intl refuses it, and nothing of the page would run.

try {
  new Intl.NumberFormat(navigator.language);
} catch {
  Object.defineProperty(navigator, 'language', { value: 'en', configurable: true });
}
