// Which program serves, and whether it is one that this extension can talk to.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import * as vscode from "vscode";

const run = promisify(execFile);

/** The oldest program that knows everything that this extension asks. */
const OLDEST = [0, 1, 0];

/** The program: the one that was set, else the one that came along, else the one on the PATH. */
export function program(context: vscode.ExtensionContext): string {
    const set = vscode.workspace.getConfiguration("tidegate").get<string>("path", "").trim();
    if (set !== "") {
        return set;
    }
    const name = process.platform === "win32" ? "tidegate.exe" : "tidegate";
    const along = join(context.extensionPath, "server", name);
    return existsSync(along) ? along : name;
}

/** What stands in the way of a program; nothing where it can serve. */
export async function fault(path: string): Promise<string | undefined> {
    let said: string;
    try {
        said = (await run(path, ["--version"], { timeout: 10_000 })).stdout;
    } catch (error) {
        const reason = (error as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such program" : String(error);
        return `tidegate cannot be started as \`${path}\`: ${reason}. Install it, or name it in the setting \`tidegate.path\`.`;
    }
    const version = /(\d+)\.(\d+)\.(\d+)/.exec(said)?.slice(1).map(Number);
    if (version === undefined) {
        return `\`${path} --version\` does not say which version it is; it says: ${said.trim()}`;
    }
    const older = version.findIndex((part, at) => part !== OLDEST[at]);
    if (older >= 0 && version[older] < OLDEST[older]) {
        return `\`${path}\` is tidegate ${version.join(".")}, and this extension needs ${OLDEST.join(".")} or newer. Update it, or remove the setting \`tidegate.path\` to take the one that came along.`;
    }
    return undefined;
}
