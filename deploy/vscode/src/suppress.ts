// Silence with a reason: the server writes the comment, and whoever asks for it says why.

import * as vscode from "vscode";
import { LanguageClient, WorkspaceEdit } from "vscode-languageclient/node";

export type Written = WorkspaceEdit;

/** Asks for the reason and writes it in the place of the placeholder; nothing is written where none is given. */
export async function suppress(client: LanguageClient | undefined, edit: Written, placeholder: string): Promise<void> {
    const reason = await vscode.window.showInputBox({
        prompt: "Why is it not to be reported here?",
        placeHolder: "the pods come with the next release",
        validateInput: (text) => (["", placeholder].includes(text.trim()) ? "Somebody will want to know." : undefined),
    });
    if (client === undefined || reason === undefined) {
        return;
    }
    const withReason = JSON.parse(JSON.stringify(edit), (key, value: unknown) =>
        key === "newText" && typeof value === "string" ? value.replace(placeholder, () => reason.trim()) : value,
    ) as Written;
    await vscode.workspace.applyEdit(await client.protocol2CodeConverter.asWorkspaceEdit(withReason));
}
