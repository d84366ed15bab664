// Plivo's Node SDK against the sandbox. Prints one line for each resource that works.
const assert = require("node:assert");
const { once } = require("node:events");
const http = require("node:http");
const { Client, PhloClient, Response: Xml, validateSignature, validateV3Signature } = require("plivo");

const { PLIVO_SANDBOX, AUTH_ID, AUTH_TOKEN } = process.env;
const SENDER = "14155550100";
const client = new Client(AUTH_ID, AUTH_TOKEN);
let last = 4155550000;
const newNumber = () => `1${(last += 10000)}`.replace(/....$/, "5555");

// The program that receives the callbacks and serves the answer document.
const received = [];
const answer = new Xml();
const keys = answer.addGetDigits({ numDigits: 1, timeout: 900, redirect: false });
keys.addSpeak("Press 1");
keys.addPlay("https://example.com/hint.mp3");
answer.addPreAnswer().addSpeak("One moment");
answer.addSpeak("Your code is 4, 7, 1, 1");
answer.addWait({ length: 3600 });
const server = http.createServer(async (request, response) => {
  let body = "";
  for await (const chunk of request) body += chunk;
  const form = Object.fromEntries(new URLSearchParams(body));
  const url = `http://${request.headers.host}${request.url}`;
  received.push({ method: request.method, url, form, headers: request.headers });
  response.setHeader("Content-Type", "application/xml");
  response.end(answer.toXML());
});

async function until(condition) {
  for (let n = 0; n < 800; n++) {
    const value = await condition();
    if (value) return value;
    await new Promise((done) => setTimeout(done, 10));
  }
  throw new Error(`not true in time: ${condition}`);
}

const handset = async (number, path = "", method = "GET") =>
  (await fetch(`${PLIVO_SANDBOX}/handset/${number}${path}`, { method })).json();
const ringing = (number) => until(async () => (await handset(number)).calls[0]);
const refused = (promise) => promise.then(() => assert.fail("not refused"), (error) => error);

async function messages(base) {
  const to = newNumber();
  const sent = await client.messages.create(SENDER, to, "hello", { url: `${base}?x=ü&a=b+c&a=%2B#f` });
  const [uuid] = sent.messageUuid;
  await until(async () => (await client.messages.get(uuid)).messageState === "delivered");
  const since = new Date(Date.now() - 60_000).toISOString().slice(0, 19).replace("T", " ");
  const listed = await client.messages.list({ limit: 5, toNumber: to, message_time__gte: since });
  assert.deepEqual(listed.map((message) => message.messageUuid), [uuid]);
  await client.messages.create(SENDER, newNumber(), "hello", { url: base, method: "GET" });
}

async function calls(base) {
  const to = newNumber();
  const { requestUuid: uuid } = await client.calls.create(SENDER, to, base, { hangupUrl: base });
  const call = await ringing(to);
  assert.equal((await client.calls.getLiveCall(uuid)).callStatus, "ringing");
  assert.ok((await client.calls.listLiveCalls()).some((live) => live.callUuid === uuid));
  assert.deepEqual(await client.calls.listQueuedCalls({}), []);
  await handset(to, `/calls/${call.call_uuid}/answer`, "POST");
  await until(async () => (await handset(to)).calls[0].waits_for_key);
  await handset(to, `/calls/${call.call_uuid}/press/1`, "POST");
  const heard = await until(async () => {
    const { transcript } = (await handset(to)).calls[0];
    return transcript.some(({ text }) => text.includes("4, 7")) && transcript.map(({ text }) => text);
  });
  const hint = heard.includes("Play is not simulated.") ? ["Play is not simulated."] : [];
  assert.deepEqual(heard, ["Press 1", ...hint, "1", "One moment", "Your code is 4, 7, 1, 1"]);
  assert.equal(await client.calls.hangup(uuid), true);
  const ended = await client.calls.get(uuid);
  assert.equal(ended.hangupCauseName, "Normal Hangup");
  const listed = await client.calls.list({ toNumber: to, billDuration_greaterOrEqual: 0 });
  assert.deepEqual(listed.map((record) => record.callUuid), [uuid]);
}

async function cancel(base) {
  const to = newNumber();
  const { requestUuid: uuid } = await client.calls.create(SENDER, to, base);
  await client.calls.cancel(uuid);
  assert.equal((await client.calls.get(uuid)).hangupCauseName, "Canceled");
  assert.match(String(await refused(client.calls.cancel(uuid))), /request not found/);
}

async function phlo() {
  const to = newNumber();
  const runner = new PhloClient(AUTH_ID, AUTH_TOKEN);
  const { phloId } = await runner.phlo.get("some-phlo");
  const result = await runner.phlo(phloId).run({ from: SENDER, to, otp: "4711", mode: "sms" });
  assert.match(result.message, /message_uuid/);
}

async function account() {
  assert.equal((await client.accounts.get()).resourceUri, `/v1/Account/${AUTH_ID}/`);
  assert.equal((await client.pricings.get("DE")).countryIso, "DE");
  assert.equal((await client.lookup.get("+14155550123")).country.iso2, "US");
  assert.match(String(await refused(client.powerpacks.list())), /501/);
  const stranger = new Client(AUTH_ID, "wrong");
  assert.match(String(await refused(stranger.messages.list())), /Could not verify/);
}

async function signatures() {
  await until(() => received.length >= 8);
  for (const { method, url, form, headers } of received) {
    const v2 = headers["x-plivo-signature-v2"];
    const v3 = headers["x-plivo-signature-v3"];
    assert.ok(validateSignature(url, headers["x-plivo-signature-v2-nonce"], v2, AUTH_TOKEN), url);
    const nonce = headers["x-plivo-signature-v3-nonce"];
    assert.ok(validateV3Signature(method, url, nonce, AUTH_TOKEN, v3, form), url);
  }
  assert.deepEqual([...new Set(received.map(({ method }) => method))].sort(), ["GET", "POST"]);
}

(async () => {
  await once(server.listen(0, "127.0.0.1"), "listening");
  const base = `http://127.0.0.1:${server.address().port}`;
  for (const resource of [messages, calls, cancel, phlo, account, signatures]) {
    await resource(base);
    console.log(resource.name);
  }
  process.exit(0);
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
