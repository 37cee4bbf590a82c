# An IPv4 or IPv6 address.
type Sirikata::Address = Pattern[/\A[0-9A-Fa-f:.]+\z/]
