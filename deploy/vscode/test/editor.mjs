// Tries the package in a real editor: code-server in headless Chromium. Opens a policy, waits for a squiggle, hovers, mends by the bulb, opens
// the panel, runs tests, and leaves pictures of each in `test/out`.
//
//     node test/editor.mjs CODE_SERVER PROGRAM [CHROMIUM]
//
// CODE_SERVER is the program of the npm package `code-server` with the node that it wants, for example
// `node_modules/node/bin/node node_modules/code-server`.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { POLICY, TEST, WORLD } from "./world.mjs";

const [server, program = "tidegate", browser = "/usr/bin/chromium"] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "out");
const { chromium } = createRequire(join(process.cwd(), "package.json"))("playwright-core");

mkdirSync(out, { recursive: true });
const work = mkdtempSync(join(tmpdir(), "tidegate-editor-"));
const folder = join(work, "folder");
const [data, extensions] = [join(work, "data"), join(work, "extensions")];
mkdirSync(join(data, "User"), { recursive: true });
mkdirSync(folder);
writeFileSync(join(folder, "policy.yaml"), POLICY);
writeFileSync(join(folder, "world.yaml"), WORLD);
writeFileSync(join(folder, "test.yaml"), TEST);
writeFileSync(
    join(data, "User", "settings.json"),
    JSON.stringify({
        "tidegate.path": program,
        "security.workspace.trust.enabled": false,
        "workbench.startupEditor": "none",
        "telemetry.telemetryLevel": "off",
        "extensions.ignoreRecommendations": true,
    }),
);
const words = server.split(" ");
const common = ["--user-data-dir", data, "--extensions-dir", extensions];
execFileSync(words[0], [...words.slice(1), ...common, "--install-extension", join(here, "..", "tidegate.vsix")], {
    stdio: "inherit",
});
const port = 20_000 + (process.pid % 10_000);
const args = [...words.slice(1), "--auth", "none", "--bind-addr", `127.0.0.1:${port}`, "--disable-telemetry", "--disable-update-check", ...common, folder];
const child = spawn(words[0], args, { stdio: ["ignore", "pipe", "pipe"] });
let log = "";
child.stdout.on("data", (text) => (log += text));
child.stderr.on("data", (text) => (log += text));

let opened;
try {
    for (let tries = 0; !log.includes("HTTP server listening"); tries++) {
        assert.ok(tries < 600, `the editor does not start: ${log}`);
        await new Promise((done) => setTimeout(done, 100));
    }
    opened = await chromium.launch({
        executablePath: browser,
        args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    });
    const page = await opened.newPage({ viewport: { width: 1400, height: 900 } });
    page.setDefaultTimeout(90_000);
    const picture = (name) => page.screenshot({ path: join(out, `${name}.png`) });
    await page.goto(`http://127.0.0.1:${port}/?folder=${encodeURIComponent(folder)}`);
    await page.waitForSelector(".monaco-workbench");
    await page.locator(".explorer-folders-view >> text=policy.yaml").dblclick();
    await page.waitForSelector(".squiggly-warning");
    await page.waitForSelector("text=who can reach this?");
    await picture("1-finding");

    await page.locator(".view-line >> text=webb").last().hover();
    await page.waitForSelector(".monaco-hover >> text=TG0012");
    await picture("2-hover");

    await page.keyboard.press("Escape");
    await page.locator(".view-line >> text=webb").last().click();
    await page.keyboard.press("Control+.");
    await page.waitForSelector("text=write `web`");
    await picture("3-bulb");
    await page.locator("text=write `web`").click();
    await page.waitForSelector(".squiggly-warning", { state: "detached" });
    await picture("4-mended");

    await page.keyboard.press("F1");
    await page.keyboard.type("tidegate: Show Who Reaches Whom");
    await page.keyboard.press("Enter");
    await page.waitForSelector("iframe.webview");
    const inner = page.frameLocator("iframe.webview").frameLocator("iframe");
    await inner.locator("text=Choose an edge or a vertex").first().waitFor();
    await picture("5-graph");

    // What is mended counts for tests once it is saved.
    await page.locator(".tab >> text=policy.yaml").click();
    await page.keyboard.press("Control+s");
    await page.keyboard.press("F1");
    await page.keyboard.type("Testing: Focus on Test Explorer View");
    await page.keyboard.press("Enter");
    const explorer = page.locator(".test-explorer");
    await explorer.locator("text=test.yaml").click();
    await page.keyboard.press("ArrowRight");
    await explorer.locator("text=db: nobody asks").waitFor();
    await page.keyboard.press("F1");
    await page.keyboard.type("Test: Run All Tests");
    await page.keyboard.press("Enter");
    await explorer.locator(".codicon-testing-failed-icon").first().waitFor();
    await explorer.locator(".codicon-testing-passed-icon").first().waitFor();
    await picture("6-tests");
    console.log(`editor: a finding, a hover, a fix, the panel and tests, as they should be; pictures in ${out}`);
} catch (error) {
    await opened?.contexts()[0]?.pages()[0]?.screenshot({ path: join(out, "failed.png") });
    console.error(log);
    throw error;
} finally {
    await opened?.close();
    child.kill();
}
assert.ok(readFileSync(join(out, "1-finding.png")).length > 0);
