// SPDX-License-Identifier: Apache-2.0
// Before anything is drawn: the theme people chose in Airflow, which keeps it here; else that of their system.
(function () {
  let chosen = null;
  try { chosen = localStorage.getItem("theme"); } catch { /* storage is closed to this page */ }
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
  if (window.parent !== window) document.documentElement.dataset.framed = "";
})();
