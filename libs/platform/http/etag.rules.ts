// ETags compared: what a client says it has seen against what there is, as If-None-Match means it.

/** Whether a list of tags as If-None-Match gives it names one of these. A weak tag is the same as its strong one: nothing is changed by reading. */
export function seenBefore(list: string, ...etags: (string | undefined)[]): boolean {
  return list.split(',').some((tag) => {
    const bare = tag.trim().replace(/^W\//, '');
    return bare === '*' || etags.includes(bare);
  });
}
