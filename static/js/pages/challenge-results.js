import { enhanceShare } from "../features/share.js";
import { onLeave } from "../lib/events.js";

onLeave(enhanceShare(document.querySelector("[data-round]")));
