// Before anything is drawn: light or dark, as the reader has chosen once; without a choice as the system is.
try {
  const scheme = localStorage.getItem("stma_nb.scheme");
  if (["light", "dark"].includes(scheme)) document.documentElement.dataset.scheme = scheme;
} catch { /* a browser that keeps nothing */ }
