// Ranks what search finds: pages for readers before decisions and measurements, which have the same words. Other numbers are Sphinx's own.
var Scorer = {
  score: (result) => {
    const [page, , , , score] = result;
    if (/^(decisions|measurements|paper|project)\//.test(page)) return score - 12;
    return /^(tutorials|how-to|reference|rollout|operate|deploy)/.test(page) ? score + 6 : score;
  },
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
