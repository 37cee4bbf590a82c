package cluster

// LastPrinted stands, in the reason of a service that failed, between what
// happened to it and what it printed last.
const LastPrinted = "; it last printed: "
