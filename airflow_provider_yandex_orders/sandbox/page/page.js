"use strict";
const state = document.getElementById("state");
const pause = document.getElementById("pause");
const shown = new Map();
for (const part of document.querySelectorAll("[data-live]")) shown.set(part.id, part.innerHTML);

function show(text) {
  const fresh = new DOMParser().parseFromString(text, "text/html");
  const focused = document.activeElement && document.activeElement.id;
  for (const [id, before] of shown) {
    const part = document.getElementById(id);
    const now = fresh.getElementById(id);
    if (!now || now.innerHTML === before) continue;
    shown.set(id, now.innerHTML);
    const open = [...part.querySelectorAll("details[open]")].map((one) => one.id);
    part.innerHTML = now.innerHTML;
    for (const one of open) document.getElementById(one)?.setAttribute("open", "");
  }
  if (focused && document.activeElement === document.body) document.getElementById(focused)?.focus({ preventScroll: true });
}

async function load(address, options) {
  try {
    const answer = await fetch(address, options);
    const text = await answer.text();
    if (!answer.ok) throw new Error(text);
    show(text);
    document.body.classList.remove("stale");
    state.textContent = "Up to date at " + new Date().toLocaleTimeString();
    return true;
  } catch (error) {
    const gone = error instanceof TypeError;
    document.body.classList.toggle("stale", gone);
    state.textContent = gone ? "The sandbox does not answer: it has ended. This is what it held last." : "That was refused: " + error.message;
    return false;
  }
}

document.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = event.submitter;
  if (button.name === "afresh" && !confirm("Forget all that was received, and every fault?")) return;
  const said = document.getElementById("said");
  said.textContent = "";
  const body = new URLSearchParams(new FormData(event.target, button));
  const words = button.firstChild.textContent.trim();
  if (await load(event.target.action, { method: "POST", body })) said.textContent = words + ": done.";
  else said.textContent = state.textContent;
});

document.getElementById("live").hidden = false;
async function again() {
  if (!pause.checked && !document.hidden) await load("/", {});
  setTimeout(again, 3000);
}
setTimeout(again, 3000);
