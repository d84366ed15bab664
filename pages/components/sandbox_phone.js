// The client of the simulated handset of a number: reads it, follows it and acts on it over HTTP.

const POLL_MS = 1000;
const CLOCKS_DIFFER_MS = 2000;

/**
 * `state` is the sandbox's JSON, undefined before the first answer; `failed`: the last request failed.
 * `ahead`: the milliseconds by which the sandbox's clock is ahead of ours. `onChange` is called after
 * every request, and `onRead`, if it is set, once nothing more is to be read.
 */
class SandboxPhone {
  constructor(url, onChange) {
    this.url = url;
    this.onChange = onChange;
    this.failed = false;
    this.ahead = 0;
    this.stream = new ChangeStream(
      `${this.url}/events`,
      () => {
        this.stopPolling();
        this.read();
      },
      () => {
        this.polling ??= setInterval(() => document.hidden || this.read(), POLL_MS);
      },
    );
    this.read();
  }

  stopPolling() {
    clearInterval(this.polling);
    this.polling = undefined;
  }

  /** One request at a time, so that an older answer never replaces a newer one. */
  async read() {
    this.unread = true;
    if (this.reading) return;
    this.reading = true;
    while (this.unread && !this.closed) {
      this.unread = false;
      await this.readOnce();
      if (!this.closed) this.onChange();
    }
    this.reading = false;
    this.onRead?.();
  }

  async readOnce() {
    try {
      const answer = await fetch(this.url, { cache: "no-store" });
      if (!answer.ok) throw new Error(`the sandbox answered ${answer.status}`);
      this.state = await answer.json();
      this.failed = false;
      // The header has whole seconds, so a small difference is ignored.
      const ahead = Date.parse(answer.headers.get("date") ?? "") - Date.now();
      this.ahead = Math.abs(ahead) > CLOCKS_DIFFER_MS ? ahead : 0;
    } catch (error) {
      this.failed = true;
      console.warn("The handset could not be read:", error.message);
    }
  }

  /** `answer`, `decline`, `hangup` or `press/{key}`. The result is read from the sandbox. */
  async act(action) {
    const call = this.call();
    if (!call) return;
    try {
      const uuid = encodeURIComponent(call.call_uuid);
      await fetch(`${this.url}/calls/${uuid}/${action}`, { method: "POST" });
    } catch (error) {
      console.warn("The handset could not be used:", error.message);
    }
    this.read();
  }

  /** The call on the screen: a ringing one, else the one in progress. */
  call() {
    const calls = this.state?.calls ?? [];
    return (
      calls.find((call) => call.status === "ringing") ??
      calls.find((call) => call.status === "in-progress")
    );
  }

  /** Messages and ended calls, oldest first, as `{ key, at, message or call }`. */
  history() {
    const { messages = [], calls = [] } = this.state ?? {};
    return [
      ...messages.map((message) => ({
        key: message.message_uuid,
        at: Date.parse(message.received_at),
        message,
      })),
      ...calls
        .filter((call) => call.status === "ended")
        .map((call) => ({ key: call.call_uuid, at: Date.parse(call.started_at), call })),
    ].sort((a, b) => a.at - b.at);
  }

  /** The newest code in a message or call of these references. A text in which the code is ambiguous
   * has none. */
  code(references, length, brand) {
    const { messages = [], calls = [] } = this.state ?? {};
    return [
      ...messages.map(({ message_uuid, received_at, text }) => ({
        reference: message_uuid,
        at: Date.parse(received_at),
        codes: () => codesIn(text, length, brand),
      })),
      ...calls.map(({ call_uuid, started_at, transcript }) => ({
        reference: call_uuid,
        at: Date.parse(started_at),
        codes: () => codesHeard(transcript, length, brand),
      })),
    ]
      .filter(({ reference }) => references.includes(reference))
      .sort((a, b) => b.at - a.at)
      .map(({ codes }) => codes())
      .find((codes) => codes.length === 1)?.[0].code;
  }

  close() {
    this.closed = true;
    this.stream.close();
    this.stopPolling();
  }
}
