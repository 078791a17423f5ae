import { BlockList, isIP } from "node:net";

// Addresses that are not for everybody: IANA's special-purpose registries (RFC 6890 and its successors), multicast, and of IPv6 everything
// outside of global unicast, with the forms that hold an IPv4 address.

const refused = new BlockList();
for (const [network, bits] of [
	["0.0.0.0", 8],
	["10.0.0.0", 8],
	["100.64.0.0", 10],
	["127.0.0.0", 8],
	["169.254.0.0", 16],
	["172.16.0.0", 12],
	["192.0.0.0", 24],
	["192.0.2.0", 24],
	["192.31.196.0", 24],
	["192.52.193.0", 24],
	["192.88.99.0", 24],
	["192.168.0.0", 16],
	["192.175.48.0", 24],
	["198.18.0.0", 15],
	["198.51.100.0", 24],
	["203.0.113.0", 24],
	["224.0.0.0", 4],
	["240.0.0.0", 4],
] as const) {
	refused.addSubnet(network, bits, "ipv4");
}
for (const [network, bits] of [
	["2001::", 23],
	["2001:db8::", 32],
	["2002::", 16],
	["2620:4f:8000::", 48],
	["3fff::", 20],
] as const) {
	refused.addSubnet(network, bits, "ipv6");
}
const globalUnicast = new BlockList();
globalUnicast.addSubnet("2000::", 3, "ipv6");

/** True for an IPv4 or IPv6 address (without brackets) that belongs to the public internet; false for anything else, names included. */
export function isPublicAddress(address: string): boolean {
	const version = isIP(address);
	if (version === 4) return !refused.check(address, "ipv4");
	return version === 6 && !address.includes("%") && globalUnicast.check(address, "ipv6") && !refused.check(address, "ipv6");
}
