/** What the pages add for a reader with scripts: the search box, places lit up from the text, copying. */

import { bindCopying } from "./copying.js";
import { bindLighting } from "./lighting.js";
import { createSearch } from "./search.js";

bindLighting();
bindCopying();
createSearch();
