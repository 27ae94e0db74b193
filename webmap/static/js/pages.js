/** What the pages add for a reader with scripts: places lit up, copying, printing, searching, sliders, arrow keys, choosing files. */

import { bindCopying } from "./copying.js";
import { bindFitting } from "./fitting.js";
import { bindGrid } from "./grid.js";
import { bindLighting } from "./lighting.js";
import { bindPrinting } from "./printable.js";
import { createSearch } from "./search.js";
import { bindWeights } from "./weights.js";

bindLighting();
bindCopying();
bindPrinting();
bindWeights();
bindGrid();
bindFitting();
createSearch();
