// The connection to the server.

import * as vscode from "vscode";
import { LanguageClient, LanguageClientOptions, ServerOptions, TransportKind } from "vscode-languageclient/node";

/** What addresses of documents begin with that commands print. */
export const RENDERED = "rendered";

/** The extension that tells of YAML that cannot be read. */
const YAML = "redhat.vscode-yaml";

/** A client of the program at a path; it is not started yet. */
export function client(path: string, output: vscode.OutputChannel): LanguageClient {
    const more = vscode.workspace.getConfiguration("tidegate").get<string[]>("arguments", []);
    const server: ServerOptions = { command: path, args: ["lsp", ...more], transport: TransportKind.stdio };
    const options: LanguageClientOptions = {
        documentSelector: ["yaml", "json", "helm"].flatMap((language) =>
            ["file", "untitled", RENDERED].map((scheme) => ({ scheme, language })),
        ),
        synchronize: { configurationSection: "tidegate" },
        outputChannel: output,
        initializationOptions: settings(vscode.workspace.getConfiguration("tidegate")),
        markdown: { isTrusted: false, supportHtml: false },
        middleware: {
            workspace: {
                // Why here: whether another server of YAML is active is known to the editor alone.
                configuration: async (params, token, next) => {
                    const all = await next(params, token);
                    return Array.isArray(all) ? all.map((it) => (it ? settings(it) : it)) : all;
                },
            },
        },
    };
    const client = new LanguageClient("tidegate", "tidegate", server, options);
    client.registerFeature({
        // Why by hand: the library knows nothing of such documents yet.
        fillClientCapabilities: (all) => Object.assign((all.workspace ??= {}), { textDocumentContent: {} }),
        initialize: () => undefined,
        getState: () => ({ kind: "static" }),
        clear: () => undefined,
    });
    return client;
}

/** The settings as the server reads them. */
function settings(set: Record<string, unknown>): Record<string, unknown> {
    const beside = set.besideYamlLanguageServer ?? "auto";
    const active = vscode.extensions.getExtension(YAML) !== undefined;
    return {
        codeLens: set.codeLens ?? true,
        inlayHints: set.inlayHints ?? true,
        workspaceDiagnostics: set.workspaceDiagnostics ?? true,
        besideYamlLanguageServer: beside === "always" || (beside === "auto" && active),
        asksReasons: true,
        render: set.render ?? [],
        renderTimeout: set.renderTimeout ?? 30,
    };
}
