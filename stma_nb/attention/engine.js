// Who computes: a worker with the networks in it, or the page itself where workers are not allowed. One forward pass at a time;
// what the reader waits for goes before what is made in the background.

/** Runs in the worker: answers {id, network, values, even} with {id, result} or {id, error}. */
function serve() {
  let answer = null;
  self.onmessage = ({ data }) => {
    if (data.networks) answer = calculator(data.networks, data.bytes);
    if (data.id === undefined) return self.postMessage({ ready: true });
    try {
      self.postMessage({ id: data.id, result: answer(data) });
    } catch (error) {
      self.postMessage({ id: data.id, error: String(error) });
    }
  };
}
/** A function that makes a forward pass; `network` is a number, or {of, seed} for random weights of that network's size. */
function calculator(networks, bytes) {
  const made = {};
  const network = (which) => {
    const { of = which, seed = null } = which, { sizes, tensors, at } = networks[of];
    const weights = () => (seed === null ? unpackWeights(tensors, bytes.subarray(at)) : randomWeights(tensors, seed));
    return (made[`${of} ${seed}`] ??= new STMA(sizes, weights()));
  };
  return ({ network: which, values, even }) => network(which).forward(values, even);
}

class Engine {
  /** `networks` as in the facts of the explorer, `bytes` with all weights. */
  constructor(networks, bytes) {
    this.networks = networks;
    this.bytes = bytes;
    this.waiting = { front: [], back: [] }; // jobs, the first come first
    this.now = null; // the job that is being computed
    this.count = 0;
    try {
      const address = URL.createObjectURL(new Blob([WORKER, "\nserve();"], { type: "text/javascript" }));
      this.worker = new Worker(address);
      URL.revokeObjectURL(address);
      this.worker.onmessage = ({ data }) => (data.ready ? this.next() : this.done(data));
      this.worker.onerror = (event) => { // as where a page forbids workers
        event.preventDefault();
        this.stayHere();
      };
      this.worker.postMessage({ networks, bytes });
    } catch {
      this.stayHere();
    }
  }
  /** Compute on the page: slower to answer while it works, but it works. */
  stayHere() {
    this.worker?.terminate();
    this.worker = null;
    this.compute = calculator(this.networks, this.bytes);
    if (this.now) this.waiting.front.unshift(this.now);
    this.now = null;
    this.next();
  }
  /** A promise of {logits, spatial, temporal, cross}. `place` "back" waits until nothing else is asked for. */
  run(job, place = "front") {
    return new Promise((resolve, reject) => {
      this.waiting[place].push({ ...job, id: ++this.count, resolve, reject });
      this.next();
    });
  }
  next() {
    if (this.now || (!this.worker && !this.compute)) return;
    this.now = this.waiting.front.shift() ?? this.waiting.back.shift() ?? null;
    if (!this.now) return;
    const { id, network, values, even } = this.now;
    if (this.worker) return this.worker.postMessage({ id, network, values, even });
    setTimeout(() => {
      try {
        this.done({ id, result: this.compute({ network, values, even }) });
      } catch (error) {
        this.done({ id, error: String(error) });
      }
    });
  }
  done({ id, result, error }) {
    if (this.now?.id !== id) return;
    const { resolve, reject } = this.now;
    this.now = null;
    if (error === undefined) resolve(result);
    else reject(new Error(error));
    this.next();
  }
  stop() {
    this.worker?.terminate();
    this.waiting = { front: [], back: [] };
  }
}
