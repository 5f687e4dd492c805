// Makes TC strings with IAB's own library from specifications on standard input, and reads them back: one JSON array out.
const { TCModel, TCString, GVL, PurposeRestriction, RestrictionType } = require('@iabtechlabtcf/core');
const range = (n) => [...Array(n).keys()].map((i) => i + 1);
const list = {
  gvlSpecificationVersion: 3, vendorListVersion: 48, tcfPolicyVersion: 4, lastUpdated: '2026-01-01T00:00:00Z',
  purposes: {}, specialPurposes: {}, features: {}, specialFeatures: {}, stacks: {}, dataCategories: {}, vendors: {},
};
for (const id of range(11)) list.purposes[id] = { id, name: `p${id}`, description: '', illustrations: [] };
for (const id of range(2)) list.specialFeatures[id] = { id, name: `s${id}`, description: '' };
for (const id of range(1500)) {
  list.vendors[id] = {
    id, name: `v${id}`, purposes: [1, 2, 3, 4, 7], legIntPurposes: [9, 10], flexiblePurposes: [2, 7, 9, 10], specialPurposes: [],
    features: [], specialFeatures: [], policyUrl: '', cookieMaxAgeSeconds: null, usesCookies: true, cookieRefresh: false,
    usesNonCookieAccess: false,
  };
}
const given = (vector) => [...vector].filter(([, yes]) => yes).map(([id]) => id);
const out = JSON.parse(require('fs').readFileSync(0, 'utf8')).map((spec) => {
  const model = new TCModel(new GVL(list));
  Object.assign(model, { cmpId: spec.cmpId, cmpVersion: spec.cmpVersion, consentScreen: 3, isServiceSpecific: spec.specific });
  model.publisherCountryCode = spec.country;
  model.purposeConsents.set(spec.purposes);
  model.purposeLegitimateInterests.set(spec.interests);
  model.specialFeatureOptins.set(spec.features);
  model.vendorConsents.set(spec.vendors);
  model.vendorLegitimateInterests.set(spec.vendorInterests);
  for (const [purpose, type, vendor] of spec.restrictions) {
    const restriction = new PurposeRestriction(purpose, type);
    model.publisherRestrictions.add(vendor, restriction);
  }
  const text = TCString.encode(model, { isForVendors: true });
  const read = TCString.decode(text);
  const restrictions = read.publisherRestrictions.getRestrictions().map((r) => [
    r.purposeId, r.restrictionType, read.publisherRestrictions.getVendors(r),
  ]);
  return {
    text, created: read.created.toISOString(), updated: read.lastUpdated.toISOString(), cmpId: read.cmpId,
    cmpVersion: read.cmpVersion, language: read.consentLanguage, list: read.vendorListVersion, policy: read.policyVersion,
    specific: read.isServiceSpecific, country: read.publisherCountryCode, purposes: given(read.purposeConsents),
    interests: given(read.purposeLegitimateInterests), features: given(read.specialFeatureOptins),
    vendors: given(read.vendorConsents), vendorInterests: given(read.vendorLegitimateInterests), restrictions,
  };
});
console.log(JSON.stringify(out));
