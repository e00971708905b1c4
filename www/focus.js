// Where the keyboard is: kept there when what it is in is drawn anew, as after a change of language; and what closes around it.

const FOCUSABLE = 'a, button, input, select, summary, [tabindex]';

/**
 * @param {ParentNode & Node} place   which has as many controls after as before
 * @param {() => void} redraw
 */
export function keepFocus(place, redraw) {
  const held = document.activeElement;
  const all = () => [...place.querySelectorAll(FOCUSABLE)];
  const at = held ? all().indexOf(held) : -1;
  redraw();
  if (at < 0 || held?.isConnected) return;
  const next = all()[at];
  if (next instanceof HTMLElement) next.focus({ preventScroll: true });
}

/** Closes the panel that the keyboard is in, else the last that is open. @param {Record<string, () => void>} panels   by their ids, how each closes */
export function closePanel(panels) {
  const open = Object.keys(panels).filter((id) => document.getElementById(id)?.hidden === false);
  const id = open.find((id) => document.activeElement?.closest(`#${id}`)) ?? open.at(-1);
  if (id) panels[id]?.();
}
