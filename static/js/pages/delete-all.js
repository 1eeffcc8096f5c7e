import { forgetDraft } from "../lib/draft-storage.js";

// With the drawings goes the one that is on the slate.
document.querySelector("[data-delete-all]")?.addEventListener("submit", forgetDraft);
