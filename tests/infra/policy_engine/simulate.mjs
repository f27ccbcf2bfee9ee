// Reads a JSON list of simulations from stdin, writes the list of results: "Allowed", "ExplicitlyDenied",
// "ImplicitlyDenied", or "error: ..." where a request or policy is not valid, or a condition key is none of the
// action's.
//
// The engine (0.1.173) drops keys that end in a name of one's own, kms:EncryptionContext:<name>. The one that a
// request has takes the place of another key of the same type and actions, in request and policy alike.
import { runSimulation } from "@cloud-copilot/iam-simulate";
import { readFileSync } from "node:fs";

const STAND_IN = "kms:RequestAlias";

function withStandIn(simulation) {
  const keys = Object.keys(simulation.request.contextVariables);
  const context = keys.find((key) => key.startsWith("kms:EncryptionContext:"));
  return context ? JSON.parse(JSON.stringify(simulation).replaceAll(`"${context}"`, `"${STAND_IN}"`)) : simulation;
}

async function judge(simulation) {
  const response = await runSimulation(withStandIn(simulation), {});
  if (response.resultType !== "single") return `error: ${JSON.stringify(response)}`;
  const ignored = response.result.ignoredContextKeys ?? [];
  return ignored.length > 0 ? `error: ${simulation.request.action} knows no ${ignored}` : response.overallResult;
}

const results = [];
for (const simulation of JSON.parse(readFileSync(0, "utf8"))) results.push(await judge(simulation));
process.stdout.write(JSON.stringify(results));
