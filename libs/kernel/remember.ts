// Remembering: what is costly to make and is wanted again under the same key; forgotten all at once when there is too much of it.

export class Remembered<V> {
  private readonly made = new Map<string, V>();

  constructor(private readonly most: number) {}

  of(key: string, make: () => V): V {
    let known = this.made.get(key);
    if (known === undefined) {
      if (this.made.size >= this.most) this.made.clear();
      this.made.set(key, (known = make()));
    }
    return known;
  }
}
