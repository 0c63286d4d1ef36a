// Runs before the first paint (a plain script in <head>), so that a chosen theme does not flash.
// The choice is "system", "light" or "dark"; the colours themselves are in style.css (light-dark()).
(() => {
  const KEY = "workspace.theme";
  const CHOICES = ["system", "light", "dark"];
  const stored = () => {
    try { return localStorage.getItem(KEY); } catch { return null; }  // storage may be switched off
  };
  const apply = (choice) => {
    if (choice === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = choice;
  };
  let current = CHOICES.includes(stored()) ? stored() : "system";
  apply(current);
  window.workspaceTheme = {
    get current() { return current; },
    next() {
      current = CHOICES[(CHOICES.indexOf(current) + 1) % CHOICES.length];
      try { localStorage.setItem(KEY, current); } catch { /* the choice then lasts for this page only */ }
      apply(current);
      return current;
    },
  };
})();
