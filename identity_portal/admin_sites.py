from django.contrib.admin import AdminSite
platform_site = AdminSite(name="admin")
tenant_site = AdminSite(name="tenant_admin")
