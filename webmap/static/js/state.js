/** What the reader looks at: theme, zone, industry, cluster. One object, changed in one place. */

/**
 * Return a state with `get`, `set(patch, origin)` and `subscribe(listener)`.
 *
 * Listeners get (state, before, origin); `origin` says what caused the change: "map", "list",
 * "key", "link", "search" or "history".
 */
export function createState(initial) {
  const listeners = [];
  let current = Object.freeze({ theme: null, zone: null, industry: null, cluster: null, ...initial });
  return {
    get: () => current,
    subscribe: (listener) => listeners.push(listener),
    set(patch, origin = "link") {
      const before = current;
      const changed = Object.keys(patch).some((key) => patch[key] !== before[key]);
      if (!changed) return;
      current = Object.freeze({ ...before, ...patch });
      for (const listener of listeners) listener(current, before, origin);
    },
  };
}
