// Compiles the look once: `npm ci && npm run build`. What comes out is committed, so nobody who runs Coproduce needs Node.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import * as sass from "sass";

const out = new URL("../src/coproduce/site/static/coproduce/", import.meta.url);
const axe = new URL("../tests/vendor/axe/", import.meta.url);
const altcha = new URL("altcha/", out);
const modules = new URL("node_modules/", import.meta.url);
mkdirSync(out, { recursive: true });
mkdirSync(axe, { recursive: true });
mkdirSync(altcha, { recursive: true });

const css = sass.compile(new URL("src/coproduce.scss", import.meta.url).pathname, {
  style: "compressed",
  loadPaths: [modules.pathname],
  quietDeps: true,
}).css;
if (/GDS Transport|crown|crest/i.test(css)) throw new Error("GOV.UK's own marks are not ours to use");
writeFileSync(new URL("coproduce.css", out), css + "\n");
copyFileSync(new URL("src/coproduce.js", import.meta.url), new URL("coproduce.js", out));
copyFileSync(new URL("src/favicon.svg", import.meta.url), new URL("favicon.svg", out));

const copies = [
  ["htmx.org/dist/htmx.min.js", out, "htmx.min.js"],
  ["@fontsource-variable/atkinson-hyperlegible-next/files/atkinson-hyperlegible-next-latin-wght-normal.woff2", out, "atkinson-hyperlegible-next-latin.woff2"],
  ["@fontsource-variable/atkinson-hyperlegible-next/files/atkinson-hyperlegible-next-latin-ext-wght-normal.woff2", out, "atkinson-hyperlegible-next-latin-ext.woff2"],
  ["altcha/dist/external/altcha.min.js", altcha, "altcha.min.js"],
  ["altcha/dist/workers/pbkdf2.js", altcha, "pbkdf2.js"],
  ["altcha/LICENSE.txt", altcha, "LICENSE.txt"],
  ["axe-core/axe.min.js", axe, "axe.min.js"],
  ["axe-core/LICENSE", axe, "LICENSE"],
  ["axe-core/LICENSE-3RD-PARTY.txt", axe, "LICENSE-3RD-PARTY.txt"],
];
for (const [from, to, name] of copies) copyFileSync(new URL(from, modules), new URL(name, to));

let total = 0;
for (const name of ["coproduce.css", "coproduce.js", "htmx.min.js", "favicon.svg", "atkinson-hyperlegible-next-latin.woff2"]) {
  const bytes = readFileSync(new URL(name, out));
  const wire = name.endsWith("woff2") ? bytes.length : gzipSync(bytes, { level: 9 }).length;
  total += wire;
  console.log(`${name.padEnd(42)} ${String(wire).padStart(6)} bytes over the wire`);
}
console.log(`${"first visit, besides the page itself".padEnd(42)} ${String(total).padStart(6)}`);
