// Executes one state machine with aws-local-stepfunctions; whoever started this is the services. JSON, a line each:
//
//   in   {"definition", "input", "context"}              once
//   out  {"task": {"resource", "parameters"}}            each try of each Task
//   in   {"result"} or {"error", "cause"}                its answer
//   out  {"states", "output"} or {"states", "error", "cause"}   the end; `states` are names in the order entered
import { createInterface } from "node:readline";

// The engine wants Node 22, for this function alone; Debian 13 and others have 20.
Promise.withResolvers ??= function () {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
};
const { StateMachine } = await import("aws-local-stepfunctions");

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const read = async () => JSON.parse((await lines.next()).value);
const write = (value) => console.log(JSON.stringify(value));

const { definition, input, context } = await read();

const handlers = {}, noWait = {};
for (const [name, state] of Object.entries(definition.States)) {
  noWait[name] = 0;
  if (state.Type !== "Task") continue;
  handlers[name] = async (parameters) => {
    write({ task: { resource: state.Resource, parameters } });
    const { result, error, cause } = await read();
    if (error) throw Object.assign(new Error(cause), { name: error });
    return result;
  };
}

const run = new StateMachine(definition).run(input, {
  context,
  overrides: {
    taskResourceLocalHandlers: handlers,
    retryIntervalOverrides: noWait,
    waitTimeOverrides: noWait,
  },
});
const ended = run.result.then(
  (output) => ({ output }),
  (failed) => ({ error: failed.cause.name, cause: failed.cause.message }),
);
const states = [];
for await (const event of run.eventLogs) if (event.type === "StateEntered") states.push(event.state.name);
write({ states, ...(await ended) });
process.exit();
